"""Growth: what a claim costs with little and with much waiting, ahead, beside and behind it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import psycopg

from pgqueue.bench.program import clients
from pgqueue.bench.reading import Key, Measure, Reading, quantile
from pgqueue.bench.site import Conn, Site, checkpoint
from pgqueue.bench.sizes import Sizes

# Ids like those of clients: ordered by time, so that a table grows as it does in life.
JOBS = """
insert into pgqueue.jobs (id, queue, priority, run_at, created_at, target, args)
select ('01900000-0000-7000-8000-' || lpad(to_hex(%(first)s::bigint + n), 12, '0'))::uuid,
       %(queue)s || case when %(queues)s::int > 1 then (n %% %(queues)s::int)::text else '' end, %(priority)s,
       now() + %(ahead)s::interval - interval '1 hour' + n * interval '1 microsecond', now(),
       'pgqueue.bench.tasks:nothing', '[1]'
from generate_series(1, %(count)s::int) as n
"""
HISTORY = """
insert into pgqueue.attempts (job_id, started_at, finished_at, worker, claim, attempt, outcome, queue, target,
                              created_at, run_at, priority, args)
select ('01800000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, now(), now(), 1, 1, 1, 'succeeded', 'default',
       'pgqueue.bench.tasks:nothing', now(), now(), 5, '[1]'
from generate_series(1, %s::int) as n
"""
INDEXES = """
select conname, 'alter table pgqueue.' || relname || ' add constraint ' || conname || ' ' || pg_get_constraintdef(c.oid)
from pg_constraint as c join pg_class as t on t.oid = c.conrelid
where conrelid = %s::regclass and contype = 'p'
union all
select i.relname, pg_get_indexdef(i.oid)
from pg_index as x join pg_class as i on i.oid = x.indexrelid
where x.indrelid = %s::regclass and not x.indisprimary
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a database holds: `ready` jobs of the worker's own queues, and others that are not its concern now."""

    name: str
    ready: int
    queues: int = 1
    future: int = 0
    foreign: int = 0
    lower: int = 0
    history: int = 0

    @property
    def served(self) -> list[str]:
        """The queues that the worker claims from."""
        return ["default"] if self.queues == 1 else [f"default{number}" for number in range(self.queues)]


def shapes(sizes: Sizes) -> list[Shape]:
    """The small one that all are compared with first."""
    few = sizes.ready[0]
    found = [Shape(name=f"{said(count)} ready", ready=count) for count in sizes.ready]
    if sizes.crowd:
        crowd = sizes.crowd
        found.append(Shape(name=f"{said(crowd)} in the future", ready=few, future=crowd))
        found.append(Shape(name=f"{said(crowd)} of another queue", ready=few, foreign=crowd))
        found.append(Shape(name=f"{said(crowd)} of another priority", ready=few, lower=crowd))
    if sizes.history:
        found.append(Shape(name=f"{said(sizes.history)} rows of history", ready=few, history=sizes.history))
    for queues in sizes.queues:
        # As many jobs in all as 100 queues of the few have, and two in each at least.
        ready = max(2 * queues, few * min(queues, 100))
        found.append(Shape(name=f"{queues:,} queues", ready=ready, queues=queues))
    return found


def said(count: int) -> str:
    """A count as people say it: 1k, 5M."""
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if count >= size:
            return f"{count / size:g}{letter}"
    return str(count)


@contextmanager
def measures(site: Site) -> Iterator[list[Measure]]:
    """One measure over all shapes, each in a database of its own, filled here once and measured in every round."""
    if not site.sizes.claims:
        yield []
        return
    with ExitStack() as stack:
        filled: dict[str, tuple[str, list[str]]] = {}

        def measure(site: Site) -> list[Reading]:
            for shape in shapes(site.sizes):
                if shape.name not in filled:
                    dsn = stack.enter_context(site.another())
                    fill(dsn, shape)
                    filled[shape.name] = dsn, shape.served
            return _claims(site, filled)

        yield [Measure("growth", measure)]


def fill(dsn: str, shape: Shape) -> None:
    """Fill an empty database; indexes are built in the end, which is many times faster."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        with without_indexes(conn, "pgqueue.jobs"):
            _fill_jobs(conn, shape)
        if shape.history:
            with without_indexes(conn, "pgqueue.attempts"):
                conn.execute(HISTORY, [shape.history])
        conn.execute("vacuum (analyze) pgqueue.jobs, pgqueue.attempts")
        checkpoint(conn)


def _fill_jobs(conn: Conn, shape: Shape) -> None:
    rows = (
        (shape.ready, "default", shape.queues, 5, "0"),
        (shape.future, "default", 1, 5, "1 day"),
        (shape.foreign, "foreign", 1, 5, "0"),
        (shape.lower, "default", 1, 4, "0"),
    )
    first = 0
    for count, queue, queues, priority, ahead in rows:
        values = {"first": first, "count": count, "queue": queue, "queues": queues, "priority": priority}
        conn.execute(JOBS, {**values, "ahead": ahead})
        first += count


@contextmanager
def without_indexes(conn: Conn, table: str) -> Iterator[None]:
    found: Sequence[tuple[str, str]] = conn.execute(INDEXES, [table, table]).fetchall()
    for name, definition in found:
        what = f"alter table {table} drop constraint" if definition.startswith("alter") else "drop index pgqueue."
        conn.execute(f"{what} {name}" if what.endswith("constraint") else f"{what}{name}")
    yield
    for _, definition in found:
        conn.execute(definition)


def _claims(site: Site, filled: dict[str, tuple[str, list[str]]]) -> list[Reading]:
    with clients(1) as (client,):
        answer = client.ask(900, do="claims", shapes=filled, cycles=site.sizes.claims)
    for dsn, _ in filled.values():
        # What this round left behind is not the next one's.
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute("vacuum (analyze) pgqueue.jobs")
            checkpoint(conn)
    found = []
    for name, times in answer["times"].items():
        found += [
            Reading(Key(f"claim of 50, p{share}", name), "ms", quantile(times, share / 100)) for share in (50, 95)
        ]
        found.append(Reading(Key("claim of 50, buffers", name), "", float(answer["buffers"][name])))
    return found
