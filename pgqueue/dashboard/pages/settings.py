"""What the database says of jobs that say nothing themselves: routes, and settings of queues."""

from __future__ import annotations

from typing import Any

from pgqueue.dashboard.database import Conn, seen
from pgqueue.dashboard.pages.page import Asked, Page
from pgqueue.store import execute, queues, routes

MOST = 1_000


def load(conn: Conn, asked: Asked) -> dict[str, Any]:
    """Routes and settings."""
    there, said = seen(conn, lambda conn: (execute(conn, routes.rows()), execute(conn, queues.settings())))
    visible = [route for route in there if asked.user.sees(route.queue)]
    settings = [row for row in said if asked.user.sees(row.queue)]
    return {
        "routes": visible[:MOST],
        "more_routes": max(0, len(visible) - MOST),
        "settings": settings[:MOST],
        "more_settings": max(0, len(settings) - MOST),
    }


PAGE = Page("settings", "/settings", load, ("routes", "queues"))
