"""Queues: how full they are, what is said of them, and why one does not drain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pgqueue.answers import QueueAnswer, WhyAnswer, queue_answer, why_answer
from pgqueue.dashboard.api.parameters import AFTER, limit, name
from pgqueue.dashboard.api.route import Route
from pgqueue.dashboard.database import Conn, seen
from pgqueue.dashboard.pages.depths import MOST_COUNTED, names_behind
from pgqueue.dashboard.pages.page import Asked, Missing
from pgqueue.dashboard.pages.past import timed
from pgqueue.dashboard.pages.queue import terms_of
from pgqueue.dashboard.pages.rates import rates_of
from pgqueue.dashboard.pages.workers import seen_by
from pgqueue.store import execute, explaining, queues
from pgqueue.store.limits import LimitRow, LimitUse
from pgqueue.store.queues import QueueStats
from pgqueue.store.routes import Route as QueueRoute
from pgqueue.store.tallies import Timing
from pgqueue.store.workers import WorkerRow

USUAL, MOST = 100, 200


@dataclass(frozen=True, slots=True)
class Queues:
    """Queues by name; `next` is behind which to go on, null at the end."""

    items: list[QueueAnswer]
    next: str | None


@dataclass(frozen=True, slots=True)
class QueueWhole(QueueAnswer):
    """A queue, and what holds of it: its limit and how much of that is in use, its routes, who serves it.

    `max_size` is how many live jobs it may hold, `on_full` what happens then; `timings` are of the last hour.
    """

    max_size: int | None
    on_full: str | None
    limit: LimitRow | None
    use: LimitUse | None
    routes: list[QueueRoute]
    workers: list[WorkerRow]
    timings: Sequence[Timing]


def listed(conn: Conn, asked: Asked) -> Queues:
    """A page of queues."""

    def question(conn: Conn) -> tuple[list[QueueStats], str | None]:
        most = int(asked.query.get("limit", USUAL))
        names, more = names_behind(conn, asked.user, asked.query.get("after", ""), most)
        return execute(conn, queues.depths(names, MOST_COUNTED)).queues if names else [], more

    rows, more = seen(conn, question)
    speeds = rates_of(conn, asked)
    return Queues([queue_answer(row, speeds.get(row.queue)) for row in rows], more)


def one(conn: Conn, asked: Asked) -> QueueWhole:
    """What is to be known of a queue."""
    queue = _visible(asked)
    told: dict[str, Any] = seen(conn, lambda conn: terms_of(conn, queue))
    if told["stats"] is None:
        raise Missing(f"no job was found in {queue}, and nothing is said of it")
    row = queue_answer(told["stats"], rates_of(conn, asked).get(queue))
    size = told["size"] or (None, None)
    known = {field: getattr(row, field) for field in QueueAnswer.__dataclass_fields__}
    return QueueWhole(
        **known,
        max_size=size[0],
        on_full=size[1],
        limit=told["limit"],
        use=told["use"],
        routes=told["routes"],
        workers=seen_by(asked.user, told["workers"]),
        timings=timed(conn, asked, queue),
    )


def why(conn: Conn, asked: Asked) -> WhyAnswer:
    """Why a queue does not drain."""
    queue = _visible(asked)
    if asked.user.queues is not None:
        raise Missing("the reasons name workers and keys of other queues, and exist for those alone who see all")
    return why_answer(seen(conn, lambda conn: execute(conn, explaining.queue(queue))))


def _visible(asked: Asked) -> str:
    queue = asked.query["name"]
    if not asked.user.sees(queue):
        raise Missing(f"no queue {queue}")
    return queue


_NAME = name("the queue")
ROUTES = (
    Route("queues", "/queues", "The queues, by name", listed, Queues, (AFTER, limit(MOST, USUAL)), page="/queues"),
    Route("queue", "/queue", "One queue", one, QueueWhole, (_NAME,), page="/queue"),
    Route("explain_queue", "/queue/explain", "Why a queue does not drain", why, WhyAnswer, (_NAME,), page="/queue"),
)
