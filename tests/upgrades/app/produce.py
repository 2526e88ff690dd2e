"""Enqueues until it is told to end, each job in one transaction with a row that says so: `python produce.py NAME`.

From Python and in SQL, on one connection all the time, as an application does. Prints how many; an error ends it.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
import time

import psycopg

import pgqueue

STEP = 0.02


def enqueue(conn: psycopg.Connection, number: int) -> object:
    match number % 5:
        case 0:
            return pgqueue.enqueue(conn, "upgrade_tasks:note", [number]).id
        case 1:
            return pgqueue.enqueue(conn, "upgrade_tasks:fail_once", [number], priority=7).id
        case 2:
            return pgqueue.enqueue(conn, "upgrade_tasks:doze", [0.05], delay=0.1, labels={"by": sys.argv[1]}).id
        case 3:
            return pgqueue.enqueue(conn, "upgrade_tasks:share", [number], limit_key="few", unique_key=f"k{number}").id
        case _:
            text = "select pgqueue.enqueue('upgrade_tasks:note', json_build_array(%s::int))"
            return conn.execute(text, [number]).fetchone()[0]


def produce() -> int:
    ended: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: ended.append(number))
    # Numbers of its own, so that no two producers note the same.
    first = int.from_bytes(os.urandom(3)) * 100
    with psycopg.connect(os.environ["PGQUEUE_DSN"]) as conn:
        for made in itertools.count():
            if ended:
                return made
            job_id = enqueue(conn, first + made)
            conn.execute("insert into sent (id, number, by) values (%s, %s, %s)", [job_id, first + made, sys.argv[1]])
            conn.commit()
            time.sleep(STEP)
    raise AssertionError("unreachable: it counts for ever")


print(produce())
