"""Jobs: those that are asked for, newest first, and what runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from uuid import UUID

from pgqueue.dashboard.api.parameters import BEFORE, Parameter, choice, flag, limit
from pgqueue.dashboard.api.plain import labels_of
from pgqueue.dashboard.api.reads import job
from pgqueue.dashboard.api.route import Route
from pgqueue.dashboard.database import Conn
from pgqueue.dashboard.pages import running as running_page
from pgqueue.dashboard.pages.job_filters import Filters, Found, found
from pgqueue.dashboard.pages.page import Asked
from pgqueue.dashboard.pages.searched import FURTHER, Said, now, query_of, searched
from pgqueue.job import JobState
from pgqueue.record import Job
from pgqueue.redaction import Redaction
from pgqueue.search import quoted
from pgqueue.search.words import LONGEST
from pgqueue.store import secrecy

USUAL, MOST = 50, 200
DEAD = frozenset({JobState.DEAD})


@dataclass(frozen=True, slots=True)
class JobListed:
    """A job in a list: its arguments are read by `/jobs/{id}`, and there alone."""

    id: UUID
    queue: str
    target: str
    state: JobState
    priority: int | None
    attempt: int
    max_attempts: int | None
    created_at: datetime | None
    run_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    worker: int | None
    unique_key: str | None
    limit_key: str | None
    labels: Mapping[str, str] | None
    last_error: str | None
    reason: str | None
    cost: int | None
    degraded: bool


@dataclass(frozen=True, slots=True)
class Jobs:
    """Jobs, newest first; `next` is before which to go on, null at the end.

    Where the look ended before it had enough, `looked` is at how many jobs it looked, `back_to` how far back: go on.
    `heads`: running jobs were looked for at the heads of their queues alone, where they are as a rule. `unread` had
    arguments or labels too large, or too odd, to be searched.
    """

    items: list[JobListed]
    next: UUID | None
    looked: int | None
    back_to: datetime | None
    heads: bool
    unread: int


def listed(conn: Conn, asked: Asked) -> Jobs:
    """A page of jobs."""
    said = _filters(asked)
    if _is_search(asked):
        return _searched(conn, asked, said)
    states = frozenset({said.state} if said.state else JobState)
    return _jobs(found(conn, asked, states, said), asked)


def dead(conn: Conn, asked: Asked) -> Jobs:
    """A page of dead jobs."""
    said = replace(_filters(asked), state=JobState.DEAD)
    return _searched(conn, asked, said) if _is_search(asked) else _jobs(found(conn, asked, DEAD, said), asked)


def running(conn: Conn, asked: Asked) -> Jobs:
    """What runs, longest first."""
    told = running_page.load(conn, asked)
    there: Found = told["found"]
    items = [job_listed(each, asked.redaction) for each in told["jobs"]]
    return Jobs(items, None, there.looked, there.back_to, there.heads, there.unread)


def _filters(asked: Asked) -> Filters:
    state = asked.query.get("state")
    return Filters(
        None if state is None else JobState(state),
        asked.query.get("queue"),
        asked.query.get("target"),
        asked.id("before"),
        int(asked.query.get("limit", USUAL)),
        asked.query.get("cause"),
    )


def _jobs(there: Found, asked: Asked) -> Jobs:
    items = [job_listed(each, asked.redaction) for each in there.jobs]
    return Jobs(items, there.next, there.looked, there.back_to, there.heads, there.unread)


def _is_search(asked: Asked) -> bool:
    return bool(asked.query.get("q", "").strip()) or asked.query.get("further") == "true"


def _searched(conn: Conn, asked: Asked, said: Filters) -> Jobs:
    """The jobs that a query asks for, and that the other parameters do not rule out. Raises QueryError."""
    text = asked.query.get("q", "").strip()
    more = {"state": said.state, "queue": said.queue, "task": said.target, "cause": said.cause}
    words = [f"{field}={quoted(value)}" for field, value in more.items() if value is not None]
    moment = now(conn)
    query_of(asked, text, moment)
    query = query_of(asked, " ".join([text, *words]), moment)
    further = FURTHER if asked.query.get("further") == "true" else 1
    secrecy.refuse_blind(conn, query)
    return _jobs(searched(conn, asked, Said(text, query, None, said.before, said.limit, further)), asked)


def job_listed(row: Job, redaction: Redaction) -> JobListed:
    """A job as a list has it; its error is without secrets already."""
    said = {field.name: getattr(row, field.name) for field in fields(JobListed)}
    return JobListed(**{**said, "labels": labels_of(redaction, row.labels)})


_QUEUE = Parameter("queue", "only jobs of this queue")
_TARGET = Parameter("target", "only jobs of this task, module:function")
_PAGE = (
    Parameter(
        "q",
        "a search in words, such as `queue:mail task:send_* args.user.id=1 since:2h`, beside the other parameters",
        {"type": "string", "maxLength": LONGEST},
    ),
    flag("further", "look ten times as far before giving up"),
    _QUEUE,
    _TARGET,
    BEFORE,
    limit(MOST, USUAL),
)
_CAUSE = Parameter("cause", "only jobs that died of this", {"type": "string", "pattern": "^[0-9a-f]{12}$"})

ROUTES = (
    Route(
        "jobs",
        "/jobs",
        "Jobs, newest first",
        listed,
        Jobs,
        (choice("state", "only jobs in this state", list(JobState)), *_PAGE),
        page="/jobs",
    ),
    Route(
        "running",
        "/running",
        "What runs, longest first, at most 200",
        running,
        Jobs,
        (_QUEUE, _TARGET, Parameter("worker", "only jobs of the worker of this id")),
        page="/running",
    ),
    Route("dead", "/dead", "Dead jobs, newest first", dead, Jobs, (_CAUSE, *_PAGE), page="/dead"),
    *job.ROUTES,
)
