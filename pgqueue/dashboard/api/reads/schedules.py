"""Schedules: the rule of each, what it enqueues, when it fired and will fire."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from pgqueue.answers import ScheduleAnswer
from pgqueue.dashboard.api.parameters import AFTER, name
from pgqueue.dashboard.api.plain import labels, shown
from pgqueue.dashboard.api.route import Route
from pgqueue.dashboard.database import Conn, seen
from pgqueue.dashboard.pages import schedule, schedules
from pgqueue.dashboard.pages.page import Asked
from pgqueue.redaction import Redaction
from pgqueue.store import secrecy
from pgqueue.store.schedules import ScheduleRow


@dataclass(frozen=True, slots=True)
class Schedules:
    """Schedules by name; `next` is behind which to go on, null at the end."""

    items: list[ScheduleRow]
    next: str | None


@dataclass(frozen=True, slots=True)
class ScheduleWhole(ScheduleAnswer):
    """A schedule with its last ticks, and the times at which it will fire."""

    coming: list[datetime]


def listed(conn: Conn, asked: Asked) -> Schedules:
    """A page of schedules."""
    told = schedules.load(conn, asked)
    targets = {row.target for row in told["rows"]}
    known = seen(conn, lambda conn: secrecy.knowing(conn, targets, asked.redaction))
    return Schedules([_visible(row, asked, known) for row in told["rows"]], told["more"])


def one(conn: Conn, asked: Asked) -> ScheduleWhole:
    """What is to be known of a schedule."""
    told = schedule.load(conn, asked)
    row = _visible(told["row"], asked, told["known"])
    known = {field: getattr(row, field) for field in ScheduleRow.__dataclass_fields__}
    return ScheduleWhole(**known, ticks=told["ticks"], coming=[each.utc for each in told["coming"]])


def _visible(row: ScheduleRow, asked: Asked, known: Redaction) -> ScheduleRow:
    """A schedule without secrets, and without arguments for who may not see them."""
    may = asked.user.may("view_args")
    said = None if row.labels is None else schedule.text_of(row.labels)
    return replace(
        row,
        args=shown(schedule.given_of(known, row)) if may else None,
        labels=None if said is None else labels(asked.redaction.labels(said)),
    )


ROUTES = (
    Route("schedules", "/schedules", "The schedules, by name", listed, Schedules, (AFTER,), page="/schedules"),
    Route(
        "schedule",
        "/schedule",
        "One schedule",
        one,
        ScheduleWhole,
        (name("the schedule"),),
        page="/schedule",
    ),
)
