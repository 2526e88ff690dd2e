"""The schedules, by name: the rule of each, what it enqueues, when it fired and will fire."""

from __future__ import annotations

from typing import Any

from pgqueue.dashboard.database import Conn, seen
from pgqueue.dashboard.pages.page import Asked, Page
from pgqueue.job import DEFAULT_QUEUE
from pgqueue.store import execute, schedules

LIMIT = 100


def load(conn: Conn, asked: Asked) -> dict[str, Any]:
    """A page of schedules."""
    after = asked.text("after")
    rows = seen(conn, lambda conn: execute(conn, schedules.rows(LIMIT + 1, after or "")))
    return {
        "rows": [row for row in rows[:LIMIT] if asked.user.sees(row.queue or DEFAULT_QUEUE)],
        "more": rows[LIMIT - 1].name if len(rows) > LIMIT else None,
        "after": after,
    }


PAGE = Page("schedules", "/schedules", load, ("table",))
