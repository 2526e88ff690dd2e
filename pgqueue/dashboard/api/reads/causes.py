"""Causes: why jobs fail, one for all failures of a kind."""

from __future__ import annotations

from dataclasses import dataclass

from pgqueue.answers import CauseAnswer, cause_answer
from pgqueue.dashboard.api.parameters import choice
from pgqueue.dashboard.api.route import Route
from pgqueue.dashboard.database import Conn
from pgqueue.dashboard.pages import causes as page
from pgqueue.dashboard.pages.page import Asked
from pgqueue.store.causes import Cause

STATES = ("new", "regression", "resolved", "muted", "known")


@dataclass(frozen=True, slots=True)
class Causes:
    """Causes, the last met first; of more than 100, so many are `left_out`."""

    items: list[Cause]
    left_out: int


def listed(conn: Conn, asked: Asked) -> Causes:
    """The causes."""
    told = page.load(conn, asked)
    return Causes(told["rows"], told["left_out"])


def one(conn: Conn, asked: Asked) -> CauseAnswer:
    """One cause."""
    told = page.load_one(conn, asked)
    return cause_answer(told["row"], told["jobs"])


ROUTES = (
    Route(
        "causes",
        "/causes",
        "Why jobs fail, the last met first; for who sees all queues",
        listed,
        Causes,
        (choice("state", "only those in this state", STATES),),
        page="/causes",
    ),
    Route(
        "cause",
        "/causes/{cause}",
        "One cause, with the newest jobs that died of it",
        one,
        CauseAnswer,
        page="/causes/{cause}",
        places={"cause": "its twelve digits"},
    ),
)
