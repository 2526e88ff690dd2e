"""What is wrong now, as far as somebody is told of it, for those who see all queues."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pgqueue.alerting.wording import page_of, title_of
from pgqueue.dashboard.database import Busy, Conn, seen
from pgqueue.dashboard.pages.page import Asked
from pgqueue.store import alerts, execute

MOST = 10


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """An alert as a line: what is wrong, since when, its key for the command line, and the path of its page."""

    key: str
    title: str
    since: datetime | None
    told: datetime | None
    muted_until: datetime | None
    page: str


def open_alerts(conn: Conn, asked: Asked) -> list[OpenAlert]:
    """The alerts that are open, the last first; none where it took too long."""
    if asked.user.queues is not None:
        return []
    try:
        found = seen(conn, lambda conn: execute(conn, alerts.listed()))
    except Busy:
        return []
    return [
        OpenAlert(
            each.key,
            title_of(each.kind, each.object, each.n, each.found),
            each.opened_at,
            each.last_sent_at,
            each.muted_until,
            page_of(each.kind, each.object),
        )
        for each in found
    ]
