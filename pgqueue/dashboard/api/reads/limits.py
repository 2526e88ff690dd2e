"""Limits, of keys, queues and tasks, and how much of each is in use."""

from __future__ import annotations

from dataclasses import dataclass

from pgqueue.answers import LimitAnswer, limit_answer
from pgqueue.dashboard.api.parameters import AFTER, choice, name
from pgqueue.dashboard.api.route import Route
from pgqueue.dashboard.database import Conn
from pgqueue.dashboard.pages import limits as page
from pgqueue.dashboard.pages.page import Asked
from pgqueue.store.limits import LimitRow


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits by kind and name; `next` is behind which to go on, null at the end. `in_use` is counted up to 1,000."""

    items: list[LimitRow]
    next: str | None


def listed(conn: Conn, asked: Asked) -> Limits:
    """A page of limits."""
    told = page.load(conn, asked)
    return Limits(told["rows"], told["more"])


def one(conn: Conn, asked: Asked) -> LimitAnswer:
    """The limit that rules a name."""
    told = page.load_one(conn, asked)
    return limit_answer(told["name"], told["row"], told["use"])


ROUTES = (
    Route("limits", "/limits", "The limits", listed, Limits, (AFTER,), page="/limits"),
    Route(
        "limit",
        "/limit",
        "The limit that rules a key, a queue or a task",
        one,
        LimitAnswer,
        (name("the key, queue or task"), choice("of", "what it is; a key unless said", page.SCOPES)),
        page="/limit",
    ),
)
