"""The limits, of keys, queues and tasks, and how much of each is in use; and one of them."""

from __future__ import annotations

from typing import Any

from pgqueue.dashboard.auth import User
from pgqueue.dashboard.database import Conn, seen
from pgqueue.dashboard.pages.behind import behind
from pgqueue.dashboard.pages.page import Asked, Missing, Page
from pgqueue.store import execute, limits
from pgqueue.store.limits import LimitRow

LIMIT = 100
SCOPES = ("key", "queue", "task")


def load(conn: Conn, asked: Asked) -> dict[str, Any]:
    """A page of limits."""
    scope, _, name = (asked.text("after") or "").partition(":")
    after = (scope, name) if scope in SCOPES else ("", "")
    sees = None if asked.user.queues is None else lambda row: _exists_for(asked.user, row)

    def rows(conn: Conn) -> tuple[list[LimitRow], tuple[str, str] | None]:
        return behind(
            lambda after, most: execute(conn, limits.rows(most, after)),
            lambda row: (row.scope, row.name),
            sees,
            after,
            LIMIT,
        )

    found, more = seen(conn, rows)
    return {
        "rows": found,
        "more": None if more is None else ":".join(more),
        "after": asked.text("after"),
        "most_counted": 1_000,
    }


def load_one(conn: Conn, asked: Asked) -> dict[str, Any]:
    """What is to be known of the limit that rules a name."""
    scope, name = asked.text("of") or "key", asked.name("name")

    def question(conn: Conn) -> Any:
        row = execute(conn, limits.get(scope, name)) if scope in SCOPES else None
        if row is None and scope == "key":
            row = execute(conn, limits.rule_of(name))
        if row is None or not _exists_for(asked.user, row):
            raise Missing(f"no limit of {scope} {name}")
        many = scope == "key" and name.endswith("*")
        return row, None if many else execute(conn, limits.use_of(scope, name, row.rate))

    row, use = seen(conn, question)
    return {"row": row, "use": use, "name": name, "scope": scope, "most_counted": 1_000}


def _exists_for(user: User, row: LimitRow) -> bool:
    return user.sees(row.name if row.scope == "queue" else None)


PAGE = Page("limits", "/limits", load, ("table",))
ONE = Page("limit", "/limit", load_one, ("head",))
