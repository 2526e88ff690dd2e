"""What bulk actions are done on: jobs that a search finds, as they are meant; and operations, as they run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from pgqueue import operations
from pgqueue.dashboard.actions.action import Subject
from pgqueue.dashboard.auth import User
from pgqueue.dashboard.database import Conn
from pgqueue.dashboard.figures import short
from pgqueue.dashboard.pages.hidden import forbidden
from pgqueue.dashboard.pages.operations import exists_for, number_of
from pgqueue.dashboard.pages.page import Missing
from pgqueue.errors import QueryError
from pgqueue.operations import Plan, Preview
from pgqueue.record import Job
from pgqueue.redaction import Redaction
from pgqueue.search import parse, within
from pgqueue.search.words import LONGEST
from pgqueue.store import dead, execute, searching, workers
from pgqueue.store.operations import Operation

# What each kind of bulk action needs.
PERMISSIONS = {"retry": "retry", "cancel": "cancel", "bury": "cancel", "purge": "purge", "priority": "edit"}


@dataclass(frozen=True, slots=True)
class Meant:
    """Jobs that a bulk action is meant for: what was asked, what is kept of it, seen from when, and what that finds."""

    kind: str
    text: str
    filter: str
    made_at: datetime
    seen: Preview
    samples: Sequence[Job]
    has_workers: bool


def refused(key: str, user: User, redaction: Redaction) -> str | None:
    """Why nobody may act by this search; None if the user may."""
    try:
        no = forbidden(key, parse(key, datetime.now(UTC)), user, redaction)
    except QueryError:
        # That is said where the jobs are looked for.
        return None
    return None if no is None else str(no)


def _meant(kind: str, conn: Conn, user: User, key: str) -> Meant:
    made_at = execute(conn, dead.moment_before(timedelta(0)))
    try:
        parse(key, made_at)
    except QueryError as error:
        raise Missing(str(error)) from None
    plan = Plan(
        kind=kind,
        filter=within(user.queues, key),
        made_at=made_at,
        who=user.name,
        via=user.via,
        priority=0 if kind == "priority" else None,
    )
    seen = operations.counted(conn, plan)
    samples = execute(conn, searching.jobs_of(seen.samples))
    has_workers = any(row.alive for row in execute(conn, workers.rows()))
    return Meant(kind, key, plan.filter, made_at, seen, samples, has_workers)


def _operation(kind: str, conn: Conn, user: User, key: str) -> Operation:
    number = number_of(key)
    row = None if number is None else operations.get(conn, number)
    if row is None or row.kind != kind or not exists_for(user, row):
        raise Missing(f"no operation {key:.40}")
    return row


BULK: Mapping[str, Subject] = {
    kind: Subject(
        "bulk",
        find=partial(_meant, kind),
        key=lambda said: said if isinstance(said, str) else said.text,
        called=lambda meant: f"Jobs: {short(meant.text or 'all', 200)}",
        page=lambda key: ("jobs", {"q": key or None}),
        longest=LONGEST,
    )
    for kind in PERMISSIONS
}
OPERATION: Mapping[str, Subject] = {
    kind: Subject(
        "operation",
        find=partial(_operation, kind),
        key=lambda row: str(row.id),
        called=lambda row: f"Operation {row.id}",
        page=lambda key: ("operation", {"number": key}),
    )
    for kind in PERMISSIONS
}
