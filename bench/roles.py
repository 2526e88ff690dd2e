"""What roles cost who enqueues: a plain insert, and COPY, of a producer and of a worker, beside rights by hand.

`python -m bench.roles` makes two databases on the server of PGQUEUE_DSN, one without roles (whose role may make both),
takes the ways by turns, and prints each beside the first: the least that it cost in microseconds of the server's CPU a
job, and as a ratio. The server must be on this machine, on Linux. It ends with databases and roles dropped.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from pgqueue.client import enqueue, enqueue_many
from pgqueue.granting import make_roles
from pgqueue.job import NewJob
from pgqueue.migrate import migrate
from pgqueue.store.rights import PARTS

NAMES = ("pgqueue_bench_without", "pgqueue_bench_roles")
TARGET = "shop.tasks:send_receipt"
ROUNDS = 15
INSERTS = 1000
COPIED = 5000

Conn = psycopg.Connection[Any]


def main() -> None:
    """Print what each way costs."""
    with databases(os.environ["PGQUEUE_DSN"]) as (without, with_roles):
        as_role = {part: make_conninfo(with_roles, options=f"-c role={NAMES[1]}_{part}") for part in PARTS}
        by_hand = make_conninfo(without, options=f"-c role={NAMES[0]}")
        who = {"by hand": by_hand, "worker": as_role["worker"], "producer": as_role["producer"]}
        ways = {"insert": (_insert, INSERTS), "COPY": (_copy, COPIED)}
        took: dict[tuple[str, str], list[float]] = {}
        for _ in range(ROUNDS):
            for way, (act, jobs) in ways.items():
                for name, dsn in who.items():
                    took.setdefault((way, name), []).append(_seconds(dsn, act, jobs) / jobs * 1e6)
        for way in ways:
            base = min(took[way, "by hand"])
            for name in who:
                least = min(took[way, name])
                print(f"{way:7} {name:8} {least:7.1f} us a job  {least / base:5.2f}", flush=True)


def _insert(conn: Conn, jobs: int) -> None:
    for number in range(jobs):
        enqueue(conn, TARGET, [number])


def _copy(conn: Conn, jobs: int) -> None:
    enqueue_many(conn, [NewJob(TARGET, [number]) for number in range(jobs)])


def _seconds(dsn: str, act: Callable[[Conn, int], None], jobs: int) -> float:
    """CPU seconds of the server, in a transaction that is rolled back."""
    with psycopg.connect(dsn) as conn:
        act(conn, 100)
        began = _cpu(conn)
        act(conn, jobs)
        took = _cpu(conn) - began
        conn.rollback()
        return took


def _cpu(conn: Conn) -> float:
    """The seconds that the server's process has run (proc(5), schedstat: nanoseconds)."""
    return int(Path(f"/proc/{conn.info.backend_pid}/schedstat").read_text().split()[0]) / 1e9


@contextmanager
def databases(dsn: str) -> Iterator[tuple[str, str]]:
    """A database without roles, and one with them."""
    with psycopg.connect(dsn, autocommit=True) as admin:
        _drop(admin)
        for name in NAMES:
            admin.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        try:
            made = [make_conninfo(dsn, dbname=name) for name in NAMES]
            for each in made:
                migrate(each)
            make_roles(made[1], NAMES[1])
            with psycopg.connect(made[0]) as conn:
                # As docs/guides/roles.md has it for workers.
                conn.execute(f"create role {NAMES[0]}; grant usage on schema pgqueue to {NAMES[0]}")
                conn.execute(f"grant select, insert, update, delete on all tables in schema pgqueue to {NAMES[0]}")
            yield made[0], made[1]
        finally:
            _drop(admin)


def _drop(admin: Conn) -> None:
    for name in NAMES:
        admin.execute(sql.SQL("drop database if exists {}").format(sql.Identifier(name)))
    for role in (NAMES[0], *(f"{NAMES[1]}_{part}" for part in PARTS)):
        admin.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(role)))


if __name__ == "__main__":
    main()
