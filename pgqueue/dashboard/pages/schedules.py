"""The schedules, by name: the rule of each, what it enqueues, when it fired and will fire."""

from __future__ import annotations

from typing import Any

from pgqueue.dashboard.database import Conn, seen
from pgqueue.dashboard.pages.behind import behind
from pgqueue.dashboard.pages.page import Asked, Page
from pgqueue.job import DEFAULT_QUEUE
from pgqueue.store import execute, schedules
from pgqueue.store.schedules import ScheduleRow

LIMIT = 100


def load(conn: Conn, asked: Asked) -> dict[str, Any]:
    """A page of schedules."""
    after = asked.text("after")
    sees = None if asked.user.queues is None else lambda row: asked.user.sees(row.queue or DEFAULT_QUEUE)

    def rows(conn: Conn) -> tuple[list[ScheduleRow], str | None]:
        return behind(
            lambda after, most: execute(conn, schedules.rows(most, after)),
            lambda row: row.name,
            sees,
            after or "",
            LIMIT,
        )

    found, more = seen(conn, rows)
    return {"rows": found, "more": more, "after": after}


PAGE = Page("schedules", "/schedules", load, ("table",))
