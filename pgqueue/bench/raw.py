"""Raw ceilings: what PostgreSQL and a bare psycopg client can do with the same table and nothing else."""

from __future__ import annotations

import secrets
import select
import socket
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from pgqueue.errors import PgqueueError
from pgqueue.job import new_job_id
from pgqueue.store import arrays, execute, jobs, workers
from pgqueue.store.jobs import Slot

NOOP = "pgqueue.bench.tasks:nothing"
CHANNEL = "pgqueue_bench"
BATCH = 500
LEASE = timedelta(hours=1)
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def copy(dsn: str, count: int, target: str = NOOP) -> dict[str, Any]:
    """COPY into `jobs`, the lines made beforehand: the least that a job needs, all else by default."""
    lines = "".join(f"{new_job_id()}\t{target}\t[{number}]\n" for number in range(count))
    with psycopg.connect(dsn) as conn, conn.cursor() as cursor:
        began = time.perf_counter()
        with cursor.copy("copy pgqueue.jobs (id, target, args) from stdin") as out:
            out.write(lines)
        conn.commit()
        return {"count": count, "seconds": time.perf_counter() - began}


def step_loop(dsn: str, count: int, batch: int = BATCH) -> dict[str, Any]:
    """The settle-and-claim statement in a loop that executes nothing, until all preloaded jobs have ended."""
    worker = secrets.randbits(62) + 1
    with psycopg.connect(dsn, autocommit=True) as conn:
        execute(conn, workers.enlist(worker, "bench", 1, None, "raw", 1, LEASE))
        statement = jobs.step(worker, [], [Slot("default", 5, BEGINNING, UUID(int=0))], timedelta(0), batch)
        values = list(statement.params)
        cursor = psycopg.RawCursor(conn)
        settled = 0
        began = time.perf_counter()
        while rows := cursor.execute(statement.sql, values, binary=True).fetchall()[:-1]:
            settled += len(rows)
            values[1] = arrays.ids_as_text([row[0] for row in rows])
            values[2] = arrays.array_as_text([str(row[1]) for row in rows])
            # Where the next claim begins: behind the last of this one.
            values[7] = arrays.array_as_text([rows[-1][12].isoformat()])
            values[8] = arrays.ids_as_text([rows[-1][0]])
        seconds = time.perf_counter() - began
        execute(conn, workers.discharge(worker, clean=True))
    if settled != count:
        raise RuntimeError(f"{settled} of {count} jobs were settled")
    return {"count": settled, "seconds": seconds}


def insert_and_notify(conn: psycopg.Connection[Any], number: int) -> None:
    """A bare insert that notifies whoever listens, in one statement and transaction."""
    conn.execute(
        "with new as (insert into pgqueue.jobs (id, target, queue) values (pgqueue.uuid7(), %s, 'raw') returning id)"
        " select pg_notify(%s, %s) from new",
        [NOOP, CHANNEL, str(number)],
    )


def listen(dsn: str, count: int, address: str) -> dict[str, Any]:
    """A bare LISTEN-then-select loop: for each notification one query, then a report, as a worker's job gives it."""
    with (
        psycopg.connect(dsn, autocommit=True) as conn,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender,
    ):
        sender.connect(address)
        conn.execute(f"listen {CHANNEL}")
        sender.send(b"-1 0")
        heard = 0
        while heard < count:
            select.select([conn.fileno()], [], [])
            for notification in list(conn.notifies(timeout=0)):
                conn.execute(
                    "select id, args from pgqueue.jobs where queue = 'raw' order by priority, run_at limit 1"
                ).fetchall()
                sender.send(f"{notification.payload} {time.monotonic_ns()}".encode())
                heard += 1
    return {"count": heard}


def await_socket(address: str, limit: float = 60.0) -> None:
    """Until somebody receives at `address`."""
    deadline = time.monotonic() + limit
    while not Path(address).exists():
        if time.monotonic() > deadline:
            raise PgqueueError(f"nobody listened at {address} within {limit:.0f} s")
        time.sleep(0.01)
