"""The queues, by name: how full each is, and what holds it."""

from __future__ import annotations

from typing import Any

from pgqueue.dashboard.database import Conn, seen
from pgqueue.dashboard.pages.depths import MOST_COUNTED, names_behind
from pgqueue.dashboard.pages.page import Asked, Page
from pgqueue.dashboard.pages.rates import rates_of
from pgqueue.store import execute, queues
from pgqueue.store.queues import QueueStats

LIMIT = 100
ORDERS = {
    "name": lambda row: row.queue,
    "ready": lambda row: -row.ready,
    "oldest": lambda row: -(row.oldest_ready_age.total_seconds() if row.oldest_ready_age else -1.0),
    "running": lambda row: -row.running,
    "dead": lambda row: -row.dead,
}


def load(conn: Conn, asked: Asked) -> dict[str, Any]:
    """A page of queues."""
    order = asked.text("sort") or "name"

    def question(conn: Conn) -> tuple[list[QueueStats], str | None]:
        names, more = names_behind(conn, asked.user, asked.text("after") or "", LIMIT)
        return execute(conn, queues.depths(names, MOST_COUNTED)).queues if names else [], more

    rows, more = seen(conn, question)
    rows.sort(key=ORDERS.get(order, ORDERS["name"]))
    return {
        "rows": rows,
        "more": more,
        "rates": rates_of(conn, asked),
        "after": asked.text("after"),
        "order": order if order in ORDERS else "name",
        "most": max((row.ready + row.running + row.scheduled + row.retrying for row in rows), default=0),
    }


PAGE = Page("queues", "/queues", load, ("table",))
