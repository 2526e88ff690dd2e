"""The overview: what needs somebody, how much waits, and who works."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from pgqueue.dashboard.auth import User
from pgqueue.dashboard.database import Conn, seen
from pgqueue.dashboard.pages.depths import Filling, filling
from pgqueue.dashboard.pages.job_filters import Filters, found
from pgqueue.dashboard.pages.open_alerts import open_alerts
from pgqueue.dashboard.pages.page import Asked, Page
from pgqueue.dashboard.pages.past import history
from pgqueue.dashboard.pages.rates import new_causes, rates_of
from pgqueue.dashboard.pages.workers import seen_by
from pgqueue.job import DEFAULT_QUEUE, JobState
from pgqueue.store import execute, schedules, unknown, workers
from pgqueue.store.causes import NewCause
from pgqueue.store.rates import Rates
from pgqueue.store.schedules import ScheduleRow
from pgqueue.store.tolerant import LATEST
from pgqueue.store.workers import WorkerRow

WORST = 8
LATEST_DEAD = 6
# Schedules that are looked at for those that fire next.
MOST_SCHEDULES, NEXT = 200, 5
# Due for longer than this is worth a word.
LONG = timedelta(minutes=5)
MOST_UNKNOWN = 1_000
_DEAD = frozenset({JobState.DEAD})


def load(conn: Conn, asked: Asked) -> dict[str, Any]:
    """What the overview shows."""
    full = filling(conn, asked.user)
    rows, parked, plans = seen(
        conn,
        lambda conn: (
            execute(conn, workers.rows()),
            _parked(conn, asked.user),
            execute(conn, schedules.rows(MOST_SCHEDULES)),
        ),
    )
    held = workers.holding(seen_by(asked.user, rows), full.depths.held, partial=full.depths.partial)
    alive = [row for row in held if row.alive]
    speeds, fresh = rates_of(conn, asked), new_causes(conn, asked)
    dead = found(conn, asked, _DEAD, Filters(JobState.DEAD, None, None, None, LATEST_DEAD))
    return {
        "full": full,
        "worst": full.queues[:WORST],
        "most": max((row.ready + row.running + row.scheduled + row.retrying for row in full.queues), default=0),
        "oldest": max(_ages(full), default=None),
        "workers": held,
        "alive": alive,
        "slots": sum(row.concurrency for row in alive),
        "busy": sum(row.running or 0 for row in alive),
        "dead": dead.jobs,
        "coming": _coming(asked.user, plans),
        "sentences": list(_sentences(full, held, parked, speeds, fresh)),
        "sees_all": asked.user.queues is None,
        # Of all queues together.
        "past": history(conn, asked) if asked.user.queues is None else None,
        "rates": speeds,
        "into": _sum(each.in_per_min for each in speeds.values()),
        "out": _sum(each.out_per_min for each in speeds.values()),
        "new": fresh,
        "alerts": open_alerts(conn, asked),
    }


def _coming(user: User, plans: list[ScheduleRow]) -> list[ScheduleRow]:
    firing = [row for row in plans if row.next_at and not row.paused_by and user.sees(row.queue or DEFAULT_QUEUE)]
    return sorted(firing, key=lambda row: row.next_at or LATEST)[:NEXT]


def _parked(conn: Conn, user: User) -> int:
    return execute(conn, unknown.count_parked(MOST_UNKNOWN)) if user.queues is None else 0


def _ages(full: Filling) -> Iterator[tuple[timedelta, str]]:
    for row in full.queues:
        if row.oldest_ready_age is not None and not row.paused:
            yield row.oldest_ready_age, row.queue


def _sum(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _sentences(
    full: Filling, there: list[WorkerRow], parked: int, speeds: dict[str, Rates], fresh: list[NewCause]
) -> Iterator[tuple[str, str]]:
    """What is wrong or worth knowing, each with the state that colours it."""
    alive = [row for row in there if row.alive]
    waiting = [row for row in full.queues if row.ready and not row.paused]
    if waiting and not alive:
        yield "dead", "Jobs wait, and no worker is at work."
    elif lost := len(there) - len(alive):
        yield (
            "retrying",
            f"{lost} {'worker has' if lost == 1 else 'workers have'} lost the lease; its jobs are taken back.",
        )
    late = [row for row in waiting if row.oldest_ready_age is not None and row.oldest_ready_age > LONG]
    if late:
        yield "retrying", f"{len(late)} {'queue is' if len(late) == 1 else 'queues are'} more than 5 minutes late."
    if growing := sum(row.queue in speeds and speeds[row.queue].grows(row.ready) for row in waiting):
        yield "retrying", f"{growing} {'queue grows' if growing == 1 else 'queues grow'}."
    if fresh:
        yield "dead", f"{len(fresh)} new {'cause' if len(fresh) == 1 else 'causes'} within an hour."
    if paused := sum(row.paused for row in full.queues):
        yield "scheduled", f"{paused} {'queue is' if paused == 1 else 'queues are'} paused."
    if parked:
        many = f"{parked:,}" if parked < MOST_UNKNOWN else f"{MOST_UNKNOWN:,} or more"
        yield "retrying", f"{many} {'job waits' if parked == 1 else 'jobs wait'} for a worker that knows their task."


PAGE = Page("overview", "/", load, ("head", "alerts", "charts", "queues", "dead", "workers", "coming"))
