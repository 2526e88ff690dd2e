"""The time machine: how it was at a moment, beside a week before and now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from pgqueue.dashboard.auth import User
from pgqueue.dashboard.database import Busy, Conn, seen
from pgqueue.dashboard.pages.page import Asked, Page
from pgqueue.errors import UsageError
from pgqueue.search import past_moment
from pgqueue.store import execute, moments, reports, workers
from pgqueue.store.audit import Act
from pgqueue.store.moments import RELEASE, RanThen, Then
from pgqueue.store.workers import WorkerRow

WEEK = timedelta(days=7)
USUAL = "1h ago"
# Seconds: what was does not change; how it is now does.
GOOD_FOR = 30.0
# How far the links to the moments before and after go.
STEPS = (
    ("a day earlier", timedelta(days=-1)),
    ("10 min earlier", timedelta(minutes=-10)),
    ("10 min later", timedelta(minutes=10)),
)


@dataclass(frozen=True, slots=True)
class Known:
    """What was found of a moment; `ran` is None where that took too long."""

    then: Then
    week_before: Then
    now: Then
    ran: RanThen | None
    acts: Sequence[Act]
    workers: dict[int, WorkerRow]


def load(conn: Conn, asked: Asked) -> dict[str, Any]:
    """What was, at the moment that the address names; without a zone it is UTC."""
    text = asked.text("when") or USUAL
    now = seen(conn, lambda conn: execute(conn, reports.now()))
    shown: dict[str, Any] = {
        "when": text,
        "known": None,
        "wrong": None,
        "steps": [],
        "at": None,
        "releases": [],
        "acts": [],
    }
    try:
        at = past_moment(text, now, UTC)
    except UsageError as error:
        return {**shown, "wrong": str(error)}
    # What was asked for as "1h ago" is one answer for a while, not one a second.
    at = at.replace(second=at.second // 30 * 30, microsecond=0) if text.endswith("ago") else at
    known = asked.memory.get(("at", at), GOOD_FOR, lambda: _known(conn, at, now))
    known = _seen_by(asked.user, known)
    return {
        **shown,
        "at": at,
        "known": known,
        "steps": [(words, _address(at + step)) for words, step in STEPS if at + step <= now],
        "releases": [act for act in known.acts if act.action == RELEASE],
        "acts": [act for act in known.acts if act.action != RELEASE],
    }


def _address(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _known(conn: Conn, at: datetime, now: datetime) -> Known:
    then, before, current, acts, rows = seen(
        conn,
        lambda conn: (
            moments.then(conn, at, now),
            moments.then(conn, at - WEEK, now),
            moments.then(conn, now, now),
            execute(conn, moments.acts_about(at)),
            execute(conn, workers.rows()),
        ),
    )
    return Known(then, before, current, _ran(conn, at), acts, {row.id: row for row in rows})


def _ran(conn: Conn, at: datetime) -> RanThen | None:
    for budget in (moments.BUDGET, moments.SMALL_BUDGET):
        try:
            return seen(conn, partial(moments.ran_at, at=at, budget=budget))
        except Busy:
            continue
    return None


def _seen_by(user: User, known: Known) -> Known:
    """What exists for who asks: of his queues alone, and what was done by hand for those who see all."""
    if user.queues is None:
        return known

    def of(then: Then) -> Then:
        return replace(
            then,
            depths=[each for each in then.depths if user.sees(each.queue)],
            ended=[each for each in then.ended if user.sees(each.queue)],
        )

    ran = known.ran
    if ran is not None:
        there = [each for each in ran.attempts if user.sees(each.queue)]
        ran = replace(ran, attempts=there, ran=len(there))
    return replace(known, then=of(known.then), week_before=of(known.week_before), now=of(known.now), ran=ran, acts=[])


PAGE = Page("at", "/at", load, ("told",))
