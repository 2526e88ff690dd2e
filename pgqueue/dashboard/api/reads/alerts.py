"""Alerts: what is wrong now, as far as somebody is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pgqueue.alerting.wording import title_of
from pgqueue.dashboard.api.parameters import flag
from pgqueue.dashboard.api.route import Route
from pgqueue.dashboard.database import Conn, seen
from pgqueue.dashboard.pages.page import Asked
from pgqueue.store import alerts, execute
from pgqueue.store.alerts import Alert


@dataclass(frozen=True, slots=True)
class AlertListed:
    """Something that is or was wrong: since when this time, until when so far, and how often since then.

    `state` is gathering (noticed, and not told yet), open (told) or well; `unsent` messages wait to be sent.
    """

    key: str
    kind: str
    object: str
    title: str
    state: str
    opened_at: datetime | None
    last_at: datetime | None
    n: int
    told_at: datetime | None
    last_sent_at: datetime | None
    muted_until: datetime | None
    muted_by: str | None
    unsent: int


@dataclass(frozen=True, slots=True)
class Alerts:
    """Alerts, the last first, at most 1,000."""

    items: list[AlertListed]


def listed(conn: Conn, asked: Asked) -> Alerts:
    """The alerts; they belong to no queue, so they exist for those alone who see all."""
    if asked.user.queues is not None:
        return Alerts([])
    only_open = asked.query.get("all") != "true"
    rows = seen(conn, lambda conn: execute(conn, alerts.listed(only_open=only_open)))
    return Alerts([_listed(row) for row in rows])


def _listed(row: Alert) -> AlertListed:
    return AlertListed(
        row.key,
        row.kind,
        row.object,
        title_of(row.kind, row.object, row.n, row.found),
        row.state,
        row.opened_at,
        row.last_at,
        row.n,
        row.told_at,
        row.last_sent_at,
        row.muted_until,
        row.muted_by,
        row.unsent,
    )


ROUTES = (
    Route(
        "alerts",
        "/alerts",
        "What is wrong now, the last first; for who sees all queues",
        listed,
        Alerts,
        (flag("all", "also what is well again, or muted"),),
    ),
)
