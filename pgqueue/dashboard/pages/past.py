"""What was: charts of how full queues were, what came in and went out, and how long jobs waited."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pgqueue.dashboard.charts import Chart, Line
from pgqueue.dashboard.database import Busy, Conn, seen
from pgqueue.dashboard.pages.page import Asked
from pgqueue.store import execute, past, tallies
from pgqueue.store.past import Past
from pgqueue.store.tallies import Throughput, Timing

MINUTE = timedelta(minutes=1)
# Seconds: a minute is noted once it is over.
GOOD_FOR = 15.0


@dataclass(frozen=True, slots=True)
class Range:
    """How far back, in which steps."""

    name: str
    length: timedelta
    step: timedelta


RANGES = (
    Range("1h", timedelta(hours=1), MINUTE),
    Range("6h", timedelta(hours=6), 5 * MINUTE),
    Range("24h", timedelta(hours=24), 15 * MINUTE),
    Range("7d", timedelta(days=7), timedelta(hours=2)),
    Range("30d", timedelta(days=30), timedelta(hours=12)),
    Range("90d", timedelta(days=90), timedelta(days=1)),
)


def history(conn: Conn, asked: Asked, queue: str | None = None) -> dict[str, Any]:
    """Charts of all queues together, or of one; none where nobody has noted anything, or it took too long."""
    chosen = next((each for each in RANGES if each.name == asked.text("range")), RANGES[1])
    return asked.memory.get(("past", queue, chosen.name), GOOD_FOR, lambda: _history(conn, chosen, queue))


def _history(conn: Conn, chosen: Range, queue: str | None) -> dict[str, Any]:
    # Workers tell of a minute within the next one.
    until = datetime.now(UTC).replace(second=0, microsecond=0) - MINUTE
    since = until - chosen.length
    try:
        noted, ended = seen(
            conn,
            lambda conn: (
                execute(conn, past.past(since, until, chosen.step, queue)),
                execute(conn, tallies.throughput(since, until, queue=queue, step=chosen.step)),
            ),
        )
    except Busy:
        noted, ended = [], []
    charts = [
        chart
        for chart in (_depth(noted), _rates(noted, ended, chosen, since, until), _wait(noted))
        if not chart.is_empty
    ]
    return {"charts": charts, "range": chosen.name, "ranges": [each.name for each in RANGES]}


def timed(conn: Conn, asked: Asked, queue: str) -> Sequence[Timing]:
    """How long attempts of a queue's tasks waited and ran in the last hour, the most frequent first."""
    return asked.memory.get(("timed", queue), GOOD_FOR, lambda: _timed(conn, queue))


def _timed(conn: Conn, queue: str) -> Sequence[Timing]:
    since = datetime.now(UTC) - timedelta(hours=1)
    try:
        found = seen(conn, lambda conn: execute(conn, tallies.timings(since, "target", queue=queue)))
    except Busy:
        return []
    return sorted(found, key=lambda row: -row.n)[:20]


def _depth(noted: Sequence[Past]) -> Chart:
    lines = [
        Line("ready", "ready", [row.ready for row in noted]),
        Line("later", "scheduled", [row.later for row in noted]),
        Line("running", "running", [row.running for row in noted]),
    ]
    return Chart("Jobs", "count", [row.at for row in noted], lines)


def _wait(noted: Sequence[Past]) -> Chart:
    return Chart(
        "Oldest wait",
        "seconds",
        [row.at for row in noted],
        [Line("oldest", "retrying", [row.oldest for row in noted])],
    )


def _rates(
    noted: Sequence[Past], ended: Sequence[Throughput], chosen: Range, since: datetime, until: datetime
) -> Chart:
    """Jobs a minute."""
    out: defaultdict[datetime, float] = defaultdict(float)
    failed: defaultdict[datetime, float] = defaultdict(float)
    for row in ended:
        # The first step and the last one are seldom whole.
        minutes = max(1.0, (min(row.at + chosen.step, until) - max(row.at, since)) / MINUTE)
        out[row.at] += row.ended / minutes
        failed[row.at] += row.failed / minutes
    into = {row.at: row.entered * 60 / row.seconds for row in noted if row.entered is not None and row.seconds}
    moments = sorted({*out, *into})
    return Chart(
        "Jobs a minute",
        "rate",
        moments,
        [
            Line("in", "ready", [into.get(at) for at in moments]),
            Line("out", "succeeded", [out.get(at, 0.0) for at in moments]),
            Line("failed", "dead", [failed.get(at, 0.0) for at in moments]),
        ],
    )
