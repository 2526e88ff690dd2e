"""One schedule: its rule, its coming ticks with the changes of the clocks, and what became of the last ones."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from pgqueue.cron import Time, coming, rule_of
from pgqueue.dashboard.database import Conn, seen
from pgqueue.dashboard.pages.page import Asked, Missing, Page
from pgqueue.dashboard.pages.told import given
from pgqueue.errors import UsageError
from pgqueue.job import DEFAULT_QUEUE
from pgqueue.redaction import Redacted, Redaction
from pgqueue.store import execute, schedules, secrecy
from pgqueue.store.schedules import ScheduleRow

TICKS, COMING = 50, 8


def load(conn: Conn, asked: Asked) -> dict[str, Any]:
    """What is to be known of a schedule."""
    name = asked.name("name")

    def question(conn: Conn) -> Any:
        row = execute(conn, schedules.get(name))
        if row is None or not asked.user.sees(row.queue or DEFAULT_QUEUE):
            raise Missing(f"no schedule {name}")
        known = secrecy.knowing(conn, [row.target], asked.redaction)
        return row, execute(conn, schedules.history(name, TICKS)), known

    row, ticks, known = seen(conn, question)
    return {
        "row": row,
        "ticks": ticks,
        "coming": _coming(row),
        "args": given_of(known, row) if asked.user.may("view_args") else None,
        "known": known,
        "labels": asked.redaction.labels(None if row.labels is None else text_of(row.labels)),
    }


def given_of(known: Redaction, row: ScheduleRow) -> Redacted:
    """What its jobs are given, without secrets."""
    return given(known, row.target, text_of(row.args))


def text_of(value: Any) -> str:
    """JSON text of what was read; what could not be read is text still."""
    return value if isinstance(value, str) else json.dumps(value)


def _coming(row: ScheduleRow) -> list[Time]:
    """The next times of a schedule; none if it is paused, or its rule or zone cannot be read here."""
    if row.paused_by is not None:
        return []
    # An interval counts from its last tick.
    after = row.last_at if row.cron is None else datetime.now(UTC)
    try:
        return list(islice(coming(rule_of(row.cron, row.every), row.timezone, after), COMING))
    except UsageError:
        return []


PAGE = Page("schedule", "/schedule", load, ("head", "ticks"))
