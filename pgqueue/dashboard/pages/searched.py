"""What an address asks for in the words of the search, and the page of jobs that exists for whoever asks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from pgqueue.dashboard.database import Busy, Conn, seen
from pgqueue.dashboard.pages.hidden import forbidden
from pgqueue.dashboard.pages.job_filters import LIMITS, Found, as_shown, made_at
from pgqueue.dashboard.pages.page import Asked
from pgqueue.errors import QueryError
from pgqueue.search import Query, parse, parse_within
from pgqueue.store import dead, execute, searching, secrecy

USUAL = 50
# How many times further a look goes that somebody asked for.
FURTHER = 10


@dataclass(frozen=True, slots=True)
class Said:
    """What an address says about jobs: `query` is what it means for whoever asks, None if it is `wrong`."""

    text: str
    query: Query | None
    wrong: QueryError | None
    before: UUID | None
    limit: int
    further: int


def said(conn: Conn, asked: Asked) -> Said:
    """What the address asks for."""
    text = asked.query.get("q", "").strip()
    limit = asked.text("limit") or ""
    query = wrong = None
    try:
        meant = query_of(asked, text, now(conn))
        secrecy.refuse_blind(conn, meant)
        query = meant
    except QueryError as error:
        wrong = error
    return Said(
        text,
        query,
        wrong,
        asked.id("before"),
        int(limit) if limit.isdecimal() and int(limit) in LIMITS else USUAL,
        FURTHER if asked.text("further") else 1,
    )


def now(conn: Conn) -> datetime:
    """The moment from which durations in a query count: the database's."""
    return seen(conn, lambda conn: execute(conn, dead.moment_before(timedelta(0))))


def query_of(asked: Asked, text: str, now: datetime) -> Query:
    """The query of a text, among the queues that exist for whoever asks. Raises QueryError if it may not be asked."""
    if "\0" in text:
        raise QueryError("a query has no letter NUL")
    # By itself first, so that what is wrong is found where it was typed.
    query = parse(text, now)
    if (no := forbidden(text, query, asked.user, asked.redaction)) is not None:
        raise no
    return parse_within(asked.user.queues, text, now)


def searched(conn: Conn, asked: Asked, said: Said) -> Found:
    """A page of the jobs that are asked for. Raises Busy."""
    assert said.query is not None, "there is a query, or something is wrong"
    everything = seen(conn, lambda conn: asked.redaction.knowing(execute(conn, secrecy.every())))
    answer = searching.page(
        conn,
        said.query,
        before=said.before,
        limit=said.limit,
        budgets=said.further,
        shown=secrecy.as_searched(everything),
    )
    if answer is None:
        raise Busy
    jobs, found = answer
    is_full = len(found.candidates) == said.limit
    return Found(
        jobs=[as_shown(job, everything) for job in jobs if asked.user.sees(job.queue)],
        next=found.next,
        looked=None if is_full or (found.next is None and not found.heads) else found.looked,
        back_to=None if is_full else made_at(found.next),
        heads=found.heads and not is_full and found.next is None,
        unread=found.unread,
    )


def ids_of(conn: Conn, asked: Asked, digits: str) -> list[UUID]:
    """At most two jobs that exist for whoever asks, whose ids begin so."""
    query = parse_within(asked.user.queues, f"id:{digits}", now(conn))
    found = seen(conn, lambda conn: searching.search(conn, query, limit=2))
    return [each.id for each in found.candidates]
