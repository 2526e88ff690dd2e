"""The whole at a glance, and what was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pgqueue.answers import QueueAnswer, queue_answer
from pgqueue.dashboard.api.parameters import Parameter, choice
from pgqueue.dashboard.api.reads import alerts
from pgqueue.dashboard.api.reads.alerts import AlertListed
from pgqueue.dashboard.api.route import Route
from pgqueue.dashboard.database import Conn, seen
from pgqueue.dashboard.pages.depths import filling
from pgqueue.dashboard.pages.page import Asked
from pgqueue.dashboard.pages.past import RANGES, history
from pgqueue.dashboard.pages.rates import new_causes, rates_of
from pgqueue.dashboard.pages.workers import seen_by
from pgqueue.store import execute, manual, reports, schema, unknown, workers
from pgqueue.store.causes import NewCause
from pgqueue.store.manual import Waiting
from pgqueue.store.workers import WorkerRow

MOST_UNKNOWN = 10_000


@dataclass(frozen=True, slots=True)
class Overview:
    """What there is, as `pgqueue status` has it; of more than 60 queues the fullest, and then `all_queues` is false.

    `unknown` is how many jobs wait for a worker that knows their task, counted up to 10,000, and `manual` how many
    wait for a human, and since when; null for who sees some queues alone, as is all else that belongs to no queue.
    """

    at: datetime
    database: str
    postgresql: str
    revision: str | None
    queues: list[QueueAnswer]
    all_queues: bool
    workers: list[WorkerRow]
    unknown: int | None
    manual: Waiting | None
    new_causes: list[NewCause]
    alerts: list[AlertListed]


@dataclass(frozen=True, slots=True)
class PastLine:
    """A value for each moment; null where nobody knows."""

    name: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class PastChart:
    """Lines over the same moments; `unit` is count, rate (a minute) or seconds."""

    name: str
    unit: str
    moments: Sequence[datetime]
    lines: list[PastLine]


@dataclass(frozen=True, slots=True)
class PastAnswer:
    """How full queues were, what came in and went out, how long jobs waited."""

    range: str
    charts: list[PastChart]


def overview(conn: Conn, asked: Asked) -> Overview:
    """The whole at a glance."""
    full = filling(conn, asked.user)
    sees_all = asked.user.queues is None
    at, version, revision, rows, parked, asked_humans = seen(
        conn,
        lambda conn: (
            execute(conn, reports.now()),
            execute(conn, reports.server_version()),
            execute(conn, schema.revision()),
            execute(conn, workers.rows()),
            execute(conn, unknown.count_parked(MOST_UNKNOWN)) if sees_all else None,
            execute(conn, manual.waiting()) if sees_all else None,
        ),
    )
    speeds = rates_of(conn, asked)
    return Overview(
        at,
        conn.info.dbname,
        version,
        revision,
        [queue_answer(row, speeds.get(row.queue)) for row in full.queues],
        full.is_all,
        workers.holding(seen_by(asked.user, rows), full.depths.held, partial=full.depths.partial),
        parked,
        asked_humans,
        new_causes(conn, asked),
        alerts.listed(conn, asked).items,
    )


def past(conn: Conn, asked: Asked) -> PastAnswer:
    """What was, of all queues together or of one."""
    queue = asked.query.get("queue")
    if not asked.user.sees(queue):
        return PastAnswer(asked.text("range") or RANGES[1].name, [])
    told = history(conn, asked, queue)
    charts = [
        PastChart(each.name, each.unit, each.moments, [PastLine(line.name, line.values) for line in each.lines])
        for each in told["charts"]
    ]
    return PastAnswer(told["range"], charts)


ROUTES = (
    Route("overview", "/overview", "The queues and how they get on, and who works", overview, Overview, page="/"),
    Route(
        "past",
        "/past",
        "How full queues were, what came and went, and how long jobs waited",
        past,
        PastAnswer,
        (
            choice("range", "how far back; 6h unless said", [each.name for each in RANGES]),
            Parameter("queue", "of this queue; else of all together, for who sees all"),
        ),
    ),
)
