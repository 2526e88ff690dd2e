"""Tasks whose every start, effect and end can be counted afterwards. Their first argument is a way round the proxy."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, LiteralString
from uuid import UUID

import psycopg

from pgqueue.batch import Batch
from pgqueue.context import JobContext, current_job
from pgqueue.durable import Durable, undoable, workflow
from pgqueue.ledger import OnUnknown
from pgqueue.outcome import Bury, Cancel, Snooze
from pgqueue.retry import Fixed
from pgqueue.tasks import task

SOON = Fixed(0.05)
# A second execution waits for what befalls the first; if that never ends, no longer than this.
GATE_SECONDS = 60.0
# Of a job that goes on where it was.
UNITS = 3


def note_start(direct: str, job: JobContext | None = None) -> None:
    """Write down that this attempt has begun; one after the first waits while the gate is shut."""
    claim = (job or current_job())._claim
    with psycopg.connect(direct, autocommit=True) as conn:
        conn.execute(
            "insert into starts (job, claim, attempt, worker) values (%s, %s, %s, %s)",
            [claim.id, claim.claim, claim.attempt, claim.worker],
        )
        if claim.claim > 1:
            _await_gate(conn)


def _await_gate(conn: psycopg.Connection[Any]) -> None:
    """So that a settlement which comes late meets the next attempt, not the end of it."""
    deadline = time.monotonic() + GATE_SECONDS
    while time.monotonic() < deadline:
        row = conn.execute("select opened from gate").fetchone()
        if row is None or row[0]:
            return
        time.sleep(0.03)


@task(retry=SOON)
def work(direct: str, seconds: float = 0) -> None:
    note_start(direct)
    time.sleep(seconds)


@task(retry=SOON)
def fail_until(direct: str, attempt: int) -> None:
    note_start(direct)
    if current_job().attempt < attempt:
        raise ValueError(f"attempt {current_job().attempt} fails")


@task(retry=SOON, fallback="tests.enumerator.tasks:follow", fallback_after=1)
def fail_over(direct: str) -> None:
    note_start(direct)
    raise ValueError("other code is to do it")


@task(retry=SOON)
def follow(direct: str) -> None:
    note_start(direct)


@task(retry=SOON)
def call_off(direct: str) -> None:
    note_start(direct)
    raise Cancel("not wanted")


@task(retry=SOON)
def snooze_once(direct: str) -> None:
    note_start(direct)
    with psycopg.connect(direct, autocommit=True) as conn:
        row = conn.execute("select count(*) from starts where job = %s", [current_job().id]).fetchone()
    if row == (1,):
        raise Snooze(0.05)


@task(retry=SOON, transactional=True)
def write(conn: psycopg.Connection[Any], direct: str) -> None:
    note_start(direct)
    conn.execute("insert into effects (job) values (%s)", [current_job().id])


@task(retry=SOON)
def complete_own(direct: str, proxied: str) -> None:
    """Settles in a transaction of its own, on a connection that passes the proxy while that stands."""
    note_start(direct)
    # A worker that takes over is not behind the proxy.
    dsn = proxied if current_job()._claim.claim == 1 else direct
    with psycopg.connect(dsn, application_name="pgqueue own") as conn:
        conn.execute("insert into effects (job) values (%s)", [current_job().id])
        current_job().complete(conn)


@task(retry=SOON)
def send_once(direct: str, key: str, on_unknown: OnUnknown) -> None:
    """Has an effect outside of its transactions, once; what it leaves out it says."""
    note_start(direct)
    with current_job().once(key, on_unknown=on_unknown) as first:
        if first:
            _note(direct, "insert into effects (job) values (%s)")
    if first.is_unknown and not first:
        _note(direct, "insert into skips (job) values (%s)")


@task(retry=SOON, transactional=True)
def write_once(conn: psycopg.Connection[Any], direct: str, key: str) -> None:
    note_start(direct)
    with current_job().once(key) as first:
        if first:
            conn.execute("insert into effects (job) values (%s)", [current_job().id])


def _note(direct: str, sql: LiteralString) -> None:
    with psycopg.connect(direct, autocommit=True) as conn:
        conn.execute(sql, [current_job().id])


@task(retry=SOON)
def spread(direct: str) -> None:
    note_start(direct)
    current_job().enqueue(work, [direct])
    current_job().effect(work, direct)


@task(retry=SOON, transactional=True)
def spread_in_transaction(conn: psycopg.Connection[Any], direct: str) -> None:
    note_start(direct)
    current_job().enqueue(work, [direct])
    current_job().effect(work, direct)


@task(retry=SOON)
def after(direct: str, ended: Any) -> None:
    note_start(direct)


@task(retry=SOON, transactional=True, iterable=True)
def write_units(conn: psycopg.Connection[Any], direct: str, seconds: float = 0) -> Iterator[int]:
    """A row a unit, each committed at its yield with the place behind it."""
    note_start(direct)
    for unit in range(current_job().resumed_from or 0, UNITS):
        conn.execute("insert into units (job, unit) values (%s, %s)", [current_job().id, unit])
        time.sleep(seconds)
        yield unit + 1


@task(retry=SOON)
def write_own_units(direct: str, proxied: str) -> None:
    """As write_units, in transactions of its own."""
    note_start(direct)
    job = current_job()
    dsn = proxied if job._claim.claim == 1 else direct
    with psycopg.connect(dsn, application_name="pgqueue own") as conn:
        for unit in range(job.resumed_from or 0, UNITS):
            with conn.transaction():
                conn.execute("insert into units (job, unit) values (%s, %s)", [job.id, unit])
                job.checkpoint(unit + 1, conn=conn)


@task(retry=SOON, batch=3, batch_wait=0.05)
def together(jobs: Batch[tuple[str, str]]) -> dict[UUID, object]:
    """Each has its own end: some fail at their first attempt."""
    for job in jobs:
        note_start(job.args[0], job)
    return {job.id: ValueError("at first") for job in jobs if job.args[1] == "fail" and job.attempt == 1}


@task(retry=SOON, batch=3, batch_wait=0.05, transactional=True)
def write_together(conn: psycopg.Connection[Any], jobs: Batch[tuple[str]]) -> None:
    for job in jobs:
        note_start(job.args[0], job)
    conn.cursor().executemany("insert into effects (job) values (%s)", [(job.id,) for job in jobs])


def _unit(conn: psycopg.Connection[Any], number: int) -> None:
    conn.execute("insert into units (job, unit) values (%s, %s)", [current_job().id, number])


@workflow(retry=SOON)
def last_long(ctx: Durable, direct: str) -> None:
    """Three units, each in the transaction of its memo; it sleeps, and waits for a child, between them."""
    note_start(direct)
    ctx.step("unit 0", _unit, 0)
    ctx.sleep(0.05)
    ctx.step("unit 1", _unit, 1)
    ctx.join(ctx.spawn(work.job(direct)))
    ctx.step("unit 2", _unit, 2)


def _book(conn: psycopg.Connection[Any]) -> str:
    conn.execute("insert into effects (job) values (%s)", [current_job().id])
    return str(current_job().id)


def _take_back(conn: psycopg.Connection[Any], booked: str) -> None:
    conn.execute("delete from effects where job = %s", [booked])
    conn.execute("insert into skips (job) values (%s)", [booked])


@workflow(retry=SOON)
def give_up(ctx: Durable, direct: str) -> None:
    note_start(direct)
    ctx.step("book", undoable(_book, _take_back))
    raise Bury("it cannot be done")
