"""Raw ceilings: what PostgreSQL and a bare psycopg loop can do with the same statements and nothing else."""

from __future__ import annotations

import secrets
import select
import socket
import sys
import time
from pathlib import Path

import psycopg

from pgqueue.job import new_job_id
from pgqueue.store.jobs import _STEP

INSERT = """
insert into pgqueue.jobs (id, target, args) values ($1, 'bench.tasks:nothing', '[1]')
"""


def insert_one_by_one(dsn: str, count: int) -> float:
    """Bare prepared inserts into `jobs`, each committed; a second."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        cursor = psycopg.RawCursor(conn)
        began = time.perf_counter()
        for _ in range(count):
            cursor.execute(INSERT, (new_job_id(),), prepare=True)
        return count / (time.perf_counter() - began)


def copy(dsn: str, count: int) -> float:
    """COPY into `jobs`, ids and arguments made beforehand; rows a second."""
    lines = "".join(f"{new_job_id()}\tbench.tasks:nothing\t[{n}]\n" for n in range(count))
    with psycopg.connect(dsn) as conn, conn.cursor() as cursor:
        began = time.perf_counter()
        with cursor.copy("copy pgqueue.jobs (id, target, args) from stdin") as out:
            out.write(lines)
        conn.commit()
        return count / (time.perf_counter() - began)


def step_loop(dsn: str, count: int, batch: int = 500) -> float:
    """The settle-and-claim statement in a loop that executes nothing, over `count` preloaded jobs; jobs a second."""
    worker = secrets.randbits(63)
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("select pgqueue.enlist(%s, 'bench', 1, null, 'raw', 1, '1 hour')", [worker])
        cursor = psycopg.RawCursor(conn)
        ids: list[object] = []
        claims: list[int] = []
        bound, first = ["-infinity"], ["00000000-0000-0000-0000-000000000000"]
        began = time.perf_counter()
        while True:
            values = (worker, ids, claims, [], [], ["default"], [5], bound, first, "0", batch)
            rows = cursor.execute(_STEP, values, prepare=True).fetchall()[:-1]
            if not rows:
                break
            ids, claims = [row[0] for row in rows], [row[1] for row in rows]
            bound, first = [str(rows[-1][12])], [str(rows[-1][0])]
        elapsed = time.perf_counter() - began
        conn.execute("select pgqueue.discharge(%s, true)", [worker])
    return count / elapsed


def listen_loop(dsn: str, address: str) -> None:
    """A bare LISTEN-then-select loop: for each notification one query, then a report, as a worker's job gives it."""
    sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("listen bench_raw")
        Path(address + ".ready").touch()
        while True:
            select.select([conn.fileno()], [], [])
            for notification in list(conn.notifies(timeout=0)):
                conn.execute("select id, args from pgqueue.jobs order by id limit 1").fetchall()
                sender.sendto(notification.payload.encode(), address)


if __name__ == "__main__":
    listen_loop(*sys.argv[1:3])
