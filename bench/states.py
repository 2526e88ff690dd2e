"""States of a database in which it must be looked at: never analysed, analysed, its horizon held, worked off."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import psycopg

from bench.history import NAME
from pgqueue.bench.horizon import held_horizon
from pgqueue.bench.idle_workers import SLOTS
from pgqueue.bench.site import Conn
from pgqueue.embedded import Server
from pgqueue.errors import PgqueueError

COPY = "month_looked_at"
WORKERS = 2
BEGIN_LIMIT = 60.0
# Dead rows in front of the slots, as if their jobs had been done: two thirds in one of them.
AHEAD = 150_000
_NO_MORE = """
delete from pgqueue.jobs where ctid = any (array(
  select job.ctid from pgqueue.jobs as job
  where job.lane is null and job.queue = %s and job.priority = 5 and job.run_at < now()
  order by job.run_at, job.id limit %s))
"""
_QUEUES = "select queue from pgqueue.queue_names() as queue"
# The month's own have a host each; they only seem to be there.
_AT_WORK = "select count(*) from pgqueue.workers where expires_at > clock_timestamp() and host not like 'web-%'"


@contextmanager
def copied(server: Server) -> Iterator[str]:
    """The DSN of a copy of the month, so that what is done to it is gone afterwards."""
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute(f"drop database if exists {COPY} with (force)")
        admin.execute("checkpoint")
        by_file = " strategy file_copy" if admin.info.server_version >= 150_000 else ""
        admin.execute(f"create database {COPY} template {NAME}{by_file}")
    try:
        yield server.dsn(COPY)
    finally:
        with psycopg.connect(server.dsn(), autocommit=True) as admin:
            admin.execute(f"drop database if exists {COPY} with (force)")


@contextmanager
def never_analysed(dsn: str) -> Iterator[None]:
    """As it was filled: the planner knows nothing, and no page is known to be visible to all."""
    yield


@contextmanager
def analysed(dsn: str) -> Iterator[None]:
    """Vacuumed and analysed."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("vacuum (analyze)")
        conn.execute("checkpoint")
    yield


@contextmanager
def draining(dsn: str) -> Iterator[None]:
    """While two workers drain it as fast as they can, and what they leave behind is vacuumed as everywhere."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        # What the last state left behind.
        conn.execute("vacuum pgqueue.jobs")
        conn.execute("alter system set autovacuum = on")
        conn.execute("select pg_reload_conf()")
        try:
            with workers(dsn, "thread", WORKERS):
                yield
        finally:
            conn.execute("alter system reset autovacuum")
            conn.execute("select pg_reload_conf()")


@contextmanager
def workers(dsn: str, executor: str, count: int) -> Iterator[None]:
    """Workers that drain all queues, from when they have begun."""
    words = ["-m", "pgqueue.bench.worker", "-A", "bench.shop", "-x", executor, "-c", str(SLOTS[executor])]
    environment = {**os.environ, "PGQUEUE_DSN": dsn}
    processes = [
        subprocess.Popen(
            [sys.executable, *words, "--log-level", "warning"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env=environment,
        )
        for _ in range(count)
    ]
    try:
        with psycopg.connect(dsn, autocommit=True) as conn:
            _await(conn, count)
        yield
        if any(process.poll() is not None for process in processes):
            raise PgqueueError("a worker ended while it was to drain")
    finally:
        for process in processes:
            assert process.stdin is not None
            process.stdin.close()
        for process in processes:
            process.wait(60)


@contextmanager
def held(dsn: str) -> Iterator[None]:
    """A session holds the horizon, and 150,000 dead rows lie in front of the jobs that wait."""
    with held_horizon(dsn), psycopg.connect(dsn, autocommit=True) as conn:
        queues = [row[0] for row in conn.execute(_QUEUES)]
        for number, queue in enumerate(sorted(queues, key=lambda name: name != "bulk")):
            each = AHEAD * 2 // 3 if number == 0 else AHEAD // 3 // max(1, len(queues) - 1)
            conn.execute(_NO_MORE, [queue, each])
        yield


# In this order: what was analysed once is never unanalysed again, and what is drained is gone.
STATES: dict[str, Callable[[str], AbstractContextManager[None]]] = {
    "never analysed": never_analysed,
    "analysed": analysed,
    "horizon held": held,
    "two workers drain": draining,
}


def _await(conn: Conn, count: int) -> None:
    deadline = time.monotonic() + BEGIN_LIMIT
    while conn.execute(_AT_WORK).fetchone() != (count,):
        if time.monotonic() > deadline:
            raise PgqueueError(f"{count} workers were not at work within {BEGIN_LIMIT:.0f} s")
        time.sleep(0.05)
