"""`python -m bench.history`: a month of history, for whoever wants to see what looking on costs at that size.

Five million jobs that are ready in 20 queues, 200,000 that are not, 320 that run, five million attempts, a million dead
jobs of 2,400 causes, 90 days of tallies and depths, workers' reports, acts, operations, schedules, limits.
By COPY; the same rows for the same seed, scale and moment. Never analysed.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import psycopg
from psycopg import sql

from bench.month import fleet, history, jobs, numbers, people
from bench.month.shape import Month, milliseconds
from pgqueue.bench.growth import without_indexes
from pgqueue.bench.server import SETTINGS
from pgqueue.bench.site import Conn
from pgqueue.embedded import Server
from pgqueue.errors import UsageError
from pgqueue.migrate import migrate

NAME = "month"
# Only what is asked to analyse does so: a table that never was is what some measures are about.
QUIETLY = {**SETTINGS, "autovacuum": "off"}
# Lines handed over at once.
PORTION = 2_000
# After so long its last hour says nothing any more.
STALE = 6 * 3600
# In the order in which they are filled. Indexes of the large ones are built in the end, which is many times faster.
LARGE: tuple[tuple[str, str, tuple[Callable[[Month], Iterator[str]], ...]], ...] = (
    (jobs.TABLE, jobs.COLUMNS, (jobs.ready, jobs.later)),
    (history.ATTEMPTS_TABLE, history.ATTEMPTS, (history.attempts,)),
    (history.DEAD_TABLE, history.DEAD, (history.dead,)),
    (numbers.TALLIES_TABLE, numbers.TALLIES, (numbers.tallies,)),
)
SMALL = (
    (numbers.DEPTHS_TABLE, numbers.DEPTHS, numbers.depths),
    (people.CAUSES_TABLE, people.CAUSES, people.causes),
    (people.AUDIT_TABLE, people.AUDIT, people.acts),
    (people.OPERATIONS_TABLE, people.OPERATIONS, people.operations),
    (people.REVISIONS_TABLE, people.REVISIONS, people.revisions),
    (people.TICKS_TABLE, people.TICKS, people.ticks),
)
# As of tables that nobody ever analysed: building an index counts their rows.
_NEVER = """
update pg_class set reltuples = -1, relpages = 0, relallvisible = 0
where relnamespace = 'pgqueue'::regnamespace and relkind = 'r'
"""


def main() -> None:
    """Make it, and say how long each part of it took."""
    options = argparse.ArgumentParser(prog="python -m bench.history", description=__doc__)
    add_options(options)
    given = options.parse_args()
    with opened(given.at, given.scale, given.seed, print) as server:
        print(f"{server.dsn(NAME)} holds a month at scale {given.scale:g}; its server ends here")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Where a month lies, and how large it is."""
    parser.add_argument("--at", type=Path, default=Path(".bench/month"), help="the folder of its server")
    parser.add_argument("--scale", type=float, default=1.0, help="0.05 is a twentieth")
    parser.add_argument("--seed", type=int, default=1)


@contextmanager
def opened(at: Path, scale: float, seed: int, say: Callable[[str], object]) -> Iterator[Server]:
    """A running server with a month in its database `month`, which is made unless it is there, and not hours old."""
    server = Server(at, settings=QUIETLY)
    server.initdb()
    server.start()
    try:
        month = _found(server.dsn())
        if month is None or (month.scale, month.seed) != (scale, seed) or _age(month) > STALE:
            month = _made(server, scale, seed, say)
        else:
            migrate(server.dsn(NAME))
        with psycopg.connect(server.dsn(NAME), autocommit=True) as conn:
            fleet.go_on(conn, month)
        yield server
    finally:
        server.stop("fast")


def fill(dsn: str, month: Month, say: Callable[[str], object] = lambda _: None) -> None:
    """Fill a migrated, empty database. Raises UsageError if it holds anything."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        if conn.execute(
            "select exists (select from pgqueue.jobs) or exists (select from pgqueue.attempts)"
        ).fetchone() != (False,):
            raise UsageError("that database holds jobs; a month is made in an empty one")
        conn.execute("set synchronous_commit = off")
        people.rule(conn)
        for table, columns, parts in LARGE:
            with _timed(f"pgqueue.{table}", say), without_indexes(conn, f"pgqueue.{table}"):
                for part in parts:
                    copy(conn, table, columns, part(month))
        with _timed("all the rest", say):
            for table, columns, rows in SMALL:
                copy(conn, table, columns, rows(month))
            fleet.begin_work(conn, month)
            conn.execute(_NEVER)


def copy(conn: Conn, table: str, columns: str, lines: Iterable[str]) -> None:
    """COPY lines into one of our tables."""
    names = [sql.Identifier(name) for name in columns.split(", ")]
    words = sql.SQL("copy pgqueue.{} ({}) from stdin").format(sql.Identifier(table), sql.SQL(", ").join(names))
    rest = iter(lines)
    with conn.cursor() as cursor, cursor.copy(words) as out:
        while portion := "".join(islice(rest, PORTION)):
            out.write(portion)


@contextmanager
def _timed(what: str, say: Callable[[str], object]) -> Iterator[None]:
    began = time.monotonic()
    yield
    say(f"{what:20} {time.monotonic() - began:6.1f} s")


def _made(server: Server, scale: float, seed: int, say: Callable[[str], object]) -> Month:
    began = time.monotonic()
    month = Month(milliseconds(datetime.now(UTC)), scale, seed)
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute(f"drop database if exists {NAME} with (force)")
        admin.execute(f"create database {NAME} template template0")
    migrate(server.dsn(NAME))
    fill(server.dsn(NAME), month, say)
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        said = json.dumps({"now": month.now, "scale": scale, "seed": seed})
        admin.execute(sql.SQL("comment on database {} is {}").format(sql.Identifier(NAME), sql.Literal(said)))
        (size,) = admin.execute("select pg_size_pretty(pg_database_size(%s))", [NAME]).fetchone() or ("?",)
    say(f"{'made':20} {time.monotonic() - began:6.1f} s, {size}")
    return month


def _found(admin: str) -> Month | None:
    with psycopg.connect(admin, autocommit=True) as conn:
        row = conn.execute(
            "select shobj_description(oid, 'pg_database') from pg_database where datname = %s", [NAME]
        ).fetchone()
    return Month(**json.loads(row[0])) if row and row[0] else None


def _age(month: Month) -> float:
    return time.time() - month.now / 1000


if __name__ == "__main__":
    main()
