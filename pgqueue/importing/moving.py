"""The walk over what waits in another queue: looked at, or moved, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast
from uuid import UUID

import psycopg

from pgqueue.acting import Actor
from pgqueue.errors import UsageError
from pgqueue.importing.report import Report
from pgqueue.importing.translating import LOCK, Terms, translated
from pgqueue.interrupt import uninterrupted
from pgqueue.job import NewJob
from pgqueue.sending import send_many
from pgqueue.store import audit, execute, foreign_jobs, limits
from pgqueue.store.foreign_jobs import ForeignId, ForeignJob, Table

Conn = psycopg.Connection[Any]
Pair = tuple[ForeignJob, NewJob]
# What a row is to blame for, and not the connection: a constraint, or a trigger that somebody has put on our tables.
REFUSALS = (psycopg.DataError, psycopg.IntegrityError, psycopg.errors.RaiseException)
# Jobs in one transaction, and rows of the other queue that are held meanwhile.
BATCH = 500


def look(conn: Conn, terms: Terms) -> Report:
    """What move() would do now, as far as that can be known: whether a unique key is taken it finds out alone."""
    table, report = _table(conn, terms), Report()
    behind: ForeignId | None = None
    while True:
        with conn.transaction():
            execute(conn, foreign_jobs.begin_reading())
            found = execute(conn, foreign_jobs.waiting(terms.source.queue, table, behind, BATCH, hold=False))
        for each in found:
            if (new := translated(each, terms, report)) is not None:
                report.add(each, new.name)
        if len(found) < BATCH:
            return report
        behind = found[-1].id


def move(conn: Conn, terms: Terms, actor: Actor, *, batch: int = BATCH, after: Callable[[Report], None]) -> Report:
    """Move what waits there, `batch` jobs a transaction; behind each of them `after` hears how far it is.

    What somebody else holds, because it is about to run, is passed by. Each batch with jobs that went is in the audit.
    Raises UsageError if there is no such table, QueueFull; what went before has gone.
    """
    table, report = _table(conn, terms), Report()
    behind: ForeignId | None = None
    while True:
        # So that what is told has been done, and what has been done is told.
        with uninterrupted():
            try:
                found, part = _batch(conn, table, terms, actor, batch, behind)
            except REFUSALS:
                found, part = _one_by_one(conn, table, terms, actor, batch, behind)
            report.take(part)
            after(report)
        if len(found) < batch:
            return report
        behind = found[-1].id


def _one_by_one(
    conn: Conn, table: Table, terms: Terms, actor: Actor, batch: int, behind: ForeignId | None
) -> tuple[list[ForeignJob], Report]:
    """The same jobs, each in a transaction of its own: one that the database refuses must not hold up the others."""
    all_found: list[ForeignJob] = []
    report = Report()
    while len(all_found) < batch:
        try:
            found, part = _batch(conn, table, terms, actor, 1, behind)
        except REFUSALS as error:
            found = execute(conn, foreign_jobs.waiting(terms.source.queue, table, behind, 1, hold=False))
            part = Report()
            for each in found:
                part.leave(each, f"the database refused it: {error.diag.message_primary}")
        report.take(part)
        if not found:
            break
        all_found += found
        behind = found[-1].id
    return all_found, report


def _batch(
    conn: Conn, table: Table, terms: Terms, actor: Actor, batch: int, behind: ForeignId | None
) -> tuple[list[ForeignJob], Report]:
    """One transaction: the next jobs that wait there, and what became of them."""
    part = Report()
    with conn.transaction():
        execute(conn, foreign_jobs.begin_reading())
        found = execute(conn, foreign_jobs.waiting(terms.source.queue, table, behind, batch, hold=True))
        execute(conn, foreign_jobs.end_reading())
        if went := _enqueue_batch(conn, found, terms, part):
            ids = [job_id for _, job_id in went]
            action = f"import {terms.source.name}"
            said = audit.write(
                actor.who, actor.via, action, filter_text=terms.only, job_ids=ids, n=len(ids), reason=actor.reason
            )
            execute(conn, said)
            execute(conn, foreign_jobs.begin_taking(table))
            execute(conn, foreign_jobs.take_out(terms.source.queue, table, [each.id for each, _ in went]))
    return found, part


def _enqueue_batch(
    conn: Conn, found: Sequence[ForeignJob], terms: Terms, report: Report
) -> list[tuple[ForeignJob, UUID]]:
    """Enqueue these here; answers what went, with the ids of its jobs."""
    pairs = [(each, new) for each in found if (new := translated(each, terms, report)) is not None]
    if any(each.lock is not None for each, _ in pairs):
        _keep_locks(conn)
    went: list[tuple[ForeignJob, UUID]] = []
    for (each, new), job_id in _enqueued(conn, pairs):
        if new.job_id in (None, job_id):
            report.add(each, new.name)
            went.append((each, job_id))
        else:
            report.leave(each, "a job that has not ended has its unique key here")
    return went


def _enqueued(conn: Conn, pairs: Sequence[Pair]) -> Iterator[tuple[Pair, UUID]]:
    """Each with the id of its job, which is another one's if that has its key. First those without a given id."""
    for given in (False, True):
        some = [pair for pair in pairs if (pair[1].job_id is not None) == given]
        ids = cast("list[UUID]", send_many(conn, [new for _, new in some])) if some else []
        yield from zip(some, ids, strict=True)


def _keep_locks(conn: Conn) -> None:
    """Let jobs of one lock run one after the other here, too; a limit that somebody has set stays."""
    if execute(conn, limits.get("key", f"{LOCK}*")) is None:
        execute(conn, limits.put("key", f"{LOCK}*", None, None, None, None, True, None))


def _table(conn: Conn, terms: Terms) -> Table:
    """Where those jobs stand. Raises UsageError if there is no such table, or more than one."""
    schema, _, name = (terms.table or terms.source.table).rpartition(".")
    found = [each for each in execute(conn, foreign_jobs.schemas_with(name)) if not schema or each == schema]
    if len(found) == 1:
        return Table(found[0], name)
    if found:
        raise UsageError(f"there are {len(found)} tables {name}: say --table {found[0]}.{name}, or {found[1]}.{name}")
    raise UsageError(
        f"there is no table {terms.table or name} in this database; --table SCHEMA.NAME says which it is, and --dsn"
        " which database: the other queue's jobs must be in the same one, so that they move in one transaction"
    )
