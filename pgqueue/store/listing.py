"""A page of jobs, newest id first, found by looking at a bounded number of rows, and how far that look went.

Indexes find jobs by id, those that have not ended by queue and time, and dead ones by queue and id. Everything else is
a walk from the newest on that stops after a budget of rows and says where, so that the next page goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from pgqueue.job import JobState
from pgqueue.record import Job
from pgqueue.store.direct import Rows
from pgqueue.store.looking import look
from pgqueue.store.reading import read_job
from pgqueue.store.statement import Statement, execute, query

# Rows of each table that a page looks at.
BUDGET = 20_000
# The same where that took too long; then jobs are looked for by id alone, because the number of queues costs, too.
SMALL_BUDGET = 1_000
# Bytes, as stored: a list of arguments that are larger is no list any more.
LARGEST = 65_536
TOO_LARGE = "(too large for a list; `pgqueue jobs show` has it whole)"

ENDED = frozenset({JobState.SUCCEEDED, JobState.CANCELLED})
DUE = frozenset({JobState.READY, JobState.RUNNING})
LATER = frozenset({JobState.SCHEDULED, JobState.RETRYING})
LIVE = DUE | LATER | {JobState.MANUAL}

Live = Callable[[psycopg.Connection[Any], "Asked", int], "list[Page]"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which jobs: in one of `states`, of a queue, of a task, with ids below `before`, at most `limit`.

    `cause` is for dead ones alone.
    """

    states: frozenset[JobState]
    queue: str | None = None
    target: str | None = None
    before: UUID | None = None
    limit: int = 50
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Jobs, newest id first.

    `until` is the id down to which the look went, None if it went to the end; the next page is the one before it.
    `looked` is how many rows were looked at, where not all were. `heads` is whether running jobs were looked for at the
    heads of their queues alone, where they are as a rule.
    """

    jobs: list[Job]
    looked: int
    until: UUID | None
    heads: bool = False


def page(conn: psycopg.Connection[Any], asked: Asked) -> Page | None:
    """A page of jobs; None if the database did not answer in time. `conn` is in autocommit mode."""
    found = look(conn, lambda conn: _page(conn, asked, BUDGET, _live))
    return found or look(conn, lambda conn: _page(conn, asked, SMALL_BUDGET, _live_by_id))


def _page(conn: psycopg.Connection[Any], asked: Asked, budget: int, live: Live) -> Page:
    parts = live(conn, asked, budget)
    if JobState.WAITING in asked.states:
        parts.append(_walk(conn, "waiting", asked, budget))
    if asked.states & ENDED:
        parts.append(_walk(conn, "ended", asked, budget))
    if JobState.DEAD in asked.states:
        parts.append(_walk(conn, _dead(asked), asked, budget))
    # Below the place where the first of them stopped, others may have jobs that it has not come to.
    until = max((part.until for part in parts if part.until is not None), default=None)
    jobs = [job for part in parts for job in part.jobs if until is None or job.id >= until]
    jobs.sort(key=lambda job: job.id, reverse=True)
    return Page(jobs[: asked.limit], sum(part.looked for part in parts), until, any(part.heads for part in parts))


def _live(conn: psycopg.Connection[Any], asked: Asked, budget: int) -> list[Page]:
    """Jobs that have not ended: by id, or from the heads of the queues where that finds more."""
    states = asked.states & LIVE
    if states == {JobState.MANUAL}:
        return [_walk(conn, "manual", asked, budget)]
    if not states or JobState.MANUAL in states:
        # At no head of a queue is one that waits for a human.
        return _live_by_id(conn, asked, budget)
    walked: list[Page] = []
    if asked.queue is None and JobState.RUNNING not in states:
        walked = _live_by_id(conn, asked, budget)
        if len(walked[0].jobs) >= asked.limit or walked[0].until is None:
            return walked
    (more_due, more_later), jobs = execute(conn, _heads(asked, states, budget))
    if not (more_due and states & DUE) and not (more_later and states & (LATER | {JobState.RUNNING})):
        return [Page(jobs, 0, None)]
    if JobState.RUNNING not in states:
        return walked or _live_by_id(conn, asked, budget)
    # Claims are made at the head; by id the running ones are as a rule the oldest, and a walk would not come to them.
    running = [job for job in jobs if job.state is JobState.RUNNING]
    others = states - {JobState.RUNNING}
    walked = [_walk(conn, "live", asked, budget, others)] if others else []
    return [Page(running, budget, None, heads=True), *walked]


def _live_by_id(conn: psycopg.Connection[Any], asked: Asked, budget: int) -> list[Page]:
    return [_walk(conn, "live", asked, budget)] if asked.states & LIVE else []


def _walk(
    conn: psycopg.Connection[Any], table: str, asked: Asked, budget: int, states: frozenset[JobState] | None = None
) -> Page:
    """Jobs of one table, from the newest on."""
    params = (*_params(asked, states or asked.states, budget), *([asked.cause] if table == "dead_cause" else []))
    jobs = execute(conn, Statement(query(f"page_of_{table}"), params, _read_jobs))
    if len(jobs) >= asked.limit:
        return Page(jobs, 0, None)
    by = {"dead_queue": [asked.queue], "dead_cause": [asked.cause]}.get(table, [])
    end = (asked.before, budget, *by)
    until = execute(conn, Statement(query(f"end_of_{table}"), end, _read_end))
    return Page(jobs, budget if until else 0, until)


def _dead(asked: Asked) -> str:
    """The index that says most about the dead jobs that are asked for."""
    if asked.cause is not None:
        return "dead_cause"
    return "dead" if asked.queue is None else "dead_queue"


def _heads(asked: Asked, states: frozenset[JobState], budget: int) -> Statement[tuple[tuple[bool, bool], list[Job]]]:
    return Statement(
        query("page_of_heads"),
        _params(asked, states, budget),
        lambda rows: ((rows[0][0], rows[0][1]), [read_job(row[2:]) for row in rows if row[2] is not None]),
    )


def _params(asked: Asked, states: frozenset[JobState], budget: int) -> Sequence[Any]:
    return (list(states), asked.queue, asked.target, asked.before, budget, asked.limit, LARGEST, TOO_LARGE)


def _read_jobs(rows: Rows) -> list[Job]:
    return [read_job(row) for row in rows]


def _read_end(rows: Rows) -> UUID | None:
    return rows[0][0] if rows else None
