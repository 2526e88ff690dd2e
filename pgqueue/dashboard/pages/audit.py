"""What was done by hand, the newest first: who, by which door, what, on what, and why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pgqueue.dashboard.auth import User
from pgqueue.dashboard.database import Conn, seen
from pgqueue.dashboard.pages.hidden import filter_shown
from pgqueue.dashboard.pages.operations import LIMIT, LOOKED, number_of
from pgqueue.dashboard.pages.page import Asked, Page
from pgqueue.store import audit, execute
from pgqueue.store.audit import Act


def load(conn: Conn, asked: Asked) -> dict[str, Any]:
    """A page of acts; those of others exist for those alone who see all queues."""
    before = number_of(asked.text("before"))
    looked = LIMIT if asked.user.queues is None else LOOKED
    rows = seen(conn, lambda conn: execute(conn, audit.newest(before, looked + 1)))
    there = [row for row in rows[:looked] if _exists_for(asked.user, row)]
    more = there[LIMIT - 1].id if len(there) > LIMIT else rows[looked - 1].id if len(rows) > looked else None
    shown = [replace(row, filter=filter_shown(row.filter, asked.user, asked.redaction)) for row in there[:LIMIT]]
    return {"rows": shown, "more": more, "before": before}


def _exists_for(user: User, row: Act) -> bool:
    return user.queues is None or (row.via == user.via and row.who == user.name)


PAGE = Page("audit", "/audit", load, ("table",))
