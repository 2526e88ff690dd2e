"""The ceiling of pick-up: LISTEN, then one statement that claims a job and commits, then its start."""

from __future__ import annotations

import select
import socket
import time
from pathlib import Path
from typing import Any

import psycopg

from pgqueue.bench.bare_enqueue import NOOP
from pgqueue.errors import PgqueueError

CHANNEL = "pgqueue_bench"
ENQUEUE = """
with new as (insert into pgqueue.jobs (id, target, queue, args) values (pgqueue.uuid7(), $1, 'raw', '[1]') returning id)
select pg_notify($2, $3) from new
"""
# What a worker must commit before a job starts, lest a job that kills it be tried for ever.
CLAIM = """
update pgqueue.jobs set worker = 1, claim = claim + 1, attempt = attempt + 1, started_at = now()
where id = (
  select id from pgqueue.jobs where queue = 'raw' and priority = 5 and worker is null and run_at <= now()
  order by run_at, id limit 1 for no key update skip locked)
returning id, claim, target, args
"""
# Behind the start, as a worker settles; else the next claims would pass more rows each time.
END = "delete from pgqueue.jobs where id = $1"


def insert_and_notify(conn: psycopg.Connection[Any], number: int) -> None:
    """A bare insert that notifies whoever listens, in one statement and transaction."""
    psycopg.RawCursor(conn).execute(ENQUEUE, [NOOP, CHANNEL, str(number)], prepare=True)


def listen(dsn: str, count: int, address: str) -> dict[str, Any]:
    """For each notification one claim, then a report, as a worker's job gives it; no other work, and no pause."""
    with (
        psycopg.connect(dsn, autocommit=True) as conn,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender,
    ):
        sender.connect(address)
        conn.execute(f"listen {CHANNEL}")
        claim, end = psycopg.RawCursor(conn), psycopg.RawCursor(conn)
        sender.send(b"-1 0")
        heard = 0
        while heard < count:
            select.select([conn.fileno()], [], [])
            for notification in list(conn.notifies(timeout=0)):
                row = claim.execute(CLAIM, prepare=True).fetchone()
                sender.send(f"{notification.payload} {time.monotonic_ns()}".encode())
                if row is None:
                    raise RuntimeError("a job was not there when it was told of")
                end.execute(END, [row[0]], prepare=True)
                heard += 1
    return {"count": heard}


def await_socket(address: str, limit: float = 60.0) -> None:
    """Until somebody receives at `address`."""
    deadline = time.monotonic() + limit
    while not Path(address).exists():
        if time.monotonic() > deadline:
            raise PgqueueError(f"nobody listened at {address} within {limit:.0f} s")
        time.sleep(0.01)
