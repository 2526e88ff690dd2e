"""One job: what it is, what it was given, what it said, and why it is where it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from pgqueue.answers import JobAnswer, WhyAnswer, job_answer, why_answer
from pgqueue.dashboard.api.parameters import Parameter, flag, limit
from pgqueue.dashboard.api.plain import cleaned, labels, shown
from pgqueue.dashboard.api.route import Route
from pgqueue.dashboard.database import Conn, seen
from pgqueue.dashboard.pages import job as page
from pgqueue.dashboard.pages.page import Asked, Missing
from pgqueue.record import Attempt, Explanation, LogLine
from pgqueue.redaction import Redacted
from pgqueue.store import execute, explaining

Shown = Literal["whole", "redacted", "hidden", "text"]
MOST_ATTEMPTS = 1_000


@dataclass(frozen=True, slots=True)
class JobWhole(JobAnswer):
    """A job with its newest attempts, oldest first, and whether there are `more_attempts`.

    `args_shown` is how much of `args` is there: whole, redacted (without its secrets), hidden from this token, or the
    text that it is where it cannot be read as JSON, or is too large: `?whole=true` reads up to 16 MB. `result` is what
    the job returned, if it `has_result`, as far as `result_shown` says.
    """

    args_shown: Shown
    has_result: bool
    result: Any
    result_shown: Shown | None
    more_attempts: bool


@dataclass(frozen=True, slots=True)
class Attempts:
    """The newest ended attempts of a job, oldest first; `more` is whether there are older ones."""

    items: list[Attempt]
    more: bool


@dataclass(frozen=True, slots=True)
class Lines:
    """What a job said, a page of it from the end, oldest first; `next` is before which to go on."""

    items: Sequence[LogLine]
    next: str | None


def one(conn: Conn, asked: Asked) -> JobWhole:
    """What is to be known of a job."""
    told = page.load(conn, _as_page(asked))
    result = told["result"]
    row = replace(
        told["job"],
        args=None if told["args"] is None else shown(told["args"]),
        labels=None if not told["labels"] else labels(told["labels"]),
        last_error=told["error"],
        reason=told["reason"],
    )
    rows = [each.row for each in reversed(told["attempts"])]
    whole = job_answer(row, told["unknown_since"], rows, told["progress"], told["workflow"])
    known = {field.name: getattr(whole, field.name) for field in fields(JobAnswer)}
    return JobWhole(
        **known,
        args_shown=_how(told["args"]),
        has_result=told["has_result"],
        result=None if result is None else shown(result),
        result_shown=_how(result) if told["has_result"] else None,
        more_attempts=told["has_more"],
    )


def attempts(conn: Conn, asked: Asked) -> Attempts:
    """The attempts of a job."""
    told = page.load(conn, replace(asked, query={"whole": "1"}))
    most = int(asked.query.get("limit", MOST_ATTEMPTS))
    rows = [each.row for each in reversed(told["attempts"])]
    return Attempts(rows[-most:], told["has_more"] or len(rows) > most)


def lines(conn: Conn, asked: Asked) -> Lines:
    """The last lines that a job said, or those before a place."""
    told = page.load(conn, asked)["log"]
    return Lines(told.shown, told.before)


def why(conn: Conn, asked: Asked) -> WhyAnswer:
    """Why a job is where it is."""
    if asked.user.queues is not None:
        raise Missing("the reasons name jobs and workers of other queues, and exist for those alone who see all")
    told = page.load(conn, replace(asked, query={}))
    found = told["why"] or seen(conn, lambda conn: execute(conn, explaining.job(told["job"].id)))
    if found is None:
        raise Missing(f"no job {told['job'].id}")
    return why_answer(_without_secrets(found, told["secrets"]))


def _without_secrets(found: Explanation, secrets: frozenset[str] | None) -> Explanation:
    return Explanation(
        tuple(
            replace(each, text=cleaned(each.text, secrets), detail=cleaned(dict(each.detail), secrets))
            for each in found.findings
        )
    )


def _as_page(asked: Asked) -> Asked:
    query: Mapping[str, str] = {"whole": "1"} if asked.query.get("whole") == "true" else {}
    return replace(asked, query=query)


def _how(told: Redacted | None) -> Shown:
    if told is None:
        return "hidden"
    return "text" if not told.is_readable else "whole" if told.is_whole else "redacted"


_ID = {"id": "the job's id"}
ROUTES = (
    Route(
        "job",
        "/jobs/{id}",
        "One job, with its arguments, its result and its attempts",
        one,
        JobWhole,
        (flag("whole", "read arguments however large, up to 16 MB, and 1,000 attempts"),),
        page="/jobs/{id}",
        places=_ID,
    ),
    Route(
        "attempts",
        "/jobs/{id}/attempts",
        "The newest attempts of a job",
        attempts,
        Attempts,
        (limit(MOST_ATTEMPTS, MOST_ATTEMPTS),),
        page="/jobs/{id}",
        places=_ID,
    ),
    Route(
        "job_logs",
        "/jobs/{id}/logs",
        "What a job said, 200 lines from the end",
        lines,
        Lines,
        (
            Parameter(
                "before",
                "only lines before this: `next` of the page before",
                {"type": "string", "pattern": r"^\d{1,9}\.\d{1,4}$"},
            ),
        ),
        page="/jobs/{id}",
        places=_ID,
    ),
    Route(
        "explain_job", "/jobs/{id}/explain", "Why a job is where it is", why, WhyAnswer, page="/jobs/{id}", places=_ID
    ),
)
