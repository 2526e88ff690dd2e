"""Feeds: iterators that are streamed into queues, and how far each has come."""

from __future__ import annotations

from typing import Any

from pgqueue.dashboard.database import Conn, seen
from pgqueue.dashboard.pages.page import Asked, Page
from pgqueue.store import execute, feeds

MOST = 200


def load(conn: Conn, asked: Asked) -> dict[str, Any]:
    """The feeds; they belong to no queue, so they exist for those alone who see all."""
    rows = seen(conn, lambda conn: execute(conn, feeds.listed())) if asked.user.queues is None else []
    return {"rows": rows[:MOST], "left_out": max(0, len(rows) - MOST), "sees_all": asked.user.queues is None}


PAGE = Page("feeds", "/feeds", load, ("table",))
