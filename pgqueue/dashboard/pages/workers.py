"""The workers, by host: what each serves, how busy it is, and how long its lease holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from pgqueue import globs
from pgqueue.dashboard.auth import User
from pgqueue.dashboard.database import Busy, Conn, seen
from pgqueue.dashboard.pages.depths import MOST_COUNTED
from pgqueue.dashboard.pages.dump import dump_of
from pgqueue.dashboard.pages.page import Asked, Missing, Page
from pgqueue.store import execute, worker_reports, workers
from pgqueue.store.worker_reports import WorkerReport
from pgqueue.store.workers import Held, WorkerRow

MOST = 500


def load(conn: Conn, asked: Asked) -> dict[str, Any]:
    """The workers that may run jobs of queues that exist for who asks."""
    rows = seen_by(asked.user, seen(conn, lambda conn: execute(conn, workers.rows())))
    held = _held(conn) if rows else None
    if held is not None:
        rows = workers.holding(rows, held[0], partial=held[1])
    rows.sort(key=lambda row: (row.host, row.pid, row.id))
    shown = rows[:MOST]
    told = _told(conn)
    releases = {each.release for row in rows if row.alive and (each := told.get(row.id)) and each.release}
    return {
        "told": told,
        "releases": sorted(releases),
        "hosts": [(host, list(each)) for host, each in groupby(shown, key=lambda row: row.host)],
        "count": len(rows),
        "left_out": len(rows) - len(shown),
        "alive": sum(row.alive for row in rows),
        "slots": sum(row.concurrency for row in rows if row.alive),
        "busy": sum(row.running or 0 for row in rows if row.alive),
        "is_counted": held is not None,
    }


def load_one(conn: Conn, asked: Asked) -> dict[str, Any]:
    """What is to be known of a worker."""
    name = asked.name("id")
    there = seen_by(asked.user, seen(conn, lambda conn: execute(conn, workers.rows())))
    row = next((row for row in there if str(row.id) == name), None)
    if row is None:
        raise Missing(f"no worker {name:.80}: it has ended")
    held = _held(conn)
    if held is not None:
        (row,) = workers.holding([row], held[0], partial=held[1])
    report = _told(conn).get(row.id)
    # Whose they are it does not say.
    tells = asked.user.queues is None and report is not None
    return {
        "row": row,
        "report": report,
        "jobs": report.running if tells and report else [],
        **dump_of(conn, asked, row.id),
    }


def _told(conn: Conn) -> dict[int, WorkerReport]:
    """What workers say of themselves; nothing where it took too long."""
    try:
        return seen(conn, lambda conn: execute(conn, worker_reports.reports()))
    except Busy:
        return {}


def _held(conn: Conn) -> Held | None:
    """What they hold; None where the jobs could not be looked at in time: the workers are there all the same."""
    try:
        return seen(conn, lambda conn: execute(conn, workers.holders(MOST_COUNTED)))
    except Busy:
        return None


def seen_by(user: User, rows: Sequence[WorkerRow]) -> list[WorkerRow]:
    """The workers that exist for a user, without the names of queues that do not."""
    if user.queues is None:
        return list(rows)
    return [
        row if row.queues is None else replace(row, queues=[queue for queue in row.queues if user.sees(queue)] or ["…"])
        for row in rows
        if _serves(row, user)
    ]


def _serves(row: WorkerRow, user: User) -> bool:
    """Whether a worker serves one of the queues that exist for a user, as far as their patterns tell."""
    if user.queues is None or row.queues is None:
        return True
    return any(_meet(queue, pattern) for queue in row.queues for pattern in _wanted(user.queues))


def _wanted(patterns: Sequence[str]) -> list[str]:
    return [pattern for pattern in patterns if not pattern.startswith(globs.EXCEPT)]


def _meet(one: str, other: str) -> bool:
    return globs.matches(one, other) or globs.matches(other, one)


PAGE = Page("workers", "/workers", load, ("table",))
ONE = Page("worker", "/worker", load_one, ("head", "dump"))
