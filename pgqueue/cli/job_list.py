"""A page of jobs, and what to know beside it: how far the look for them went, and how to go on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from pgqueue.cli.errors import Exit, say, say_error
from pgqueue.cli.job_progress import with_progress
from pgqueue.cli.output import Columns, print_list, written
from pgqueue.finding import nearest_queue, nearest_task
from pgqueue.job import JobState
from pgqueue.record import Job
from pgqueue.search import Query, parse, quoted
from pgqueue.store import dead, execute, searching, secrecy
from pgqueue.store.listing import Asked, Page, page
from pgqueue.store.searching import Found

if TYPE_CHECKING:
    import psycopg

Before = Annotated[str | None, typer.Option("--before", metavar="ID", help="Only jobs with a lower id: the next page.")]
Further = Annotated[bool, typer.Option("--further", help="Of a query: look ten times further before giving up.")]
Words = Annotated[
    list[str] | None,
    typer.Argument(metavar="[QUERY]...", help="Which: 'queue:mail task:send_* args.user.id=1 since:2h'."),
]
# How many times further --further looks.
FURTHER = 10
BUSY = "the database did not answer in time: it is busy, or a table is locked; try again"


def print_page(
    conn: psycopg.Connection[Any], asked: Asked, columns: Columns[Job], *, as_json: bool, empty: str
) -> None:
    """Find a page of jobs and print it; on standard error, how far the look went if it did not go to the end."""
    found = page(conn, asked)
    if found is None:
        say_error(BUSY)
        raise typer.Exit(Exit.FAILED)
    if found.jobs or as_json or found.until is None:
        _print(conn, found.jobs, columns, as_json=as_json, empty=empty)
    if not found.jobs:
        tell_nearest(conn, asked.queue, asked.target)
    if note := _note(found, asked):
        say(note)


def print_found(
    conn: psycopg.Connection[Any],
    asked: Query,
    columns: Columns[Job],
    *,
    before: UUID | None,
    limit: int,
    further: bool,
    as_json: bool,
) -> None:
    """Find a page of the jobs that a query asks for, and print it; on standard error, how far the look went."""
    shown = secrecy.searching_by(conn, asked)
    answer = searching.page(conn, asked, before=before, limit=limit, budgets=FURTHER if further else 1, shown=shown)
    if answer is None:
        say_error(BUSY)
        raise typer.Exit(Exit.FAILED)
    jobs, found = answer
    if jobs or as_json or found.next is None:
        _print(conn, jobs, columns, as_json=as_json, empty="No such job.")
    for note in _notes(found, limit):
        say(note)


def _print(
    conn: psycopg.Connection[Any], jobs: Sequence[Job], columns: Columns[Job], *, as_json: bool, empty: str
) -> None:
    if not as_json:
        running = [job.id for job in jobs if job.state is JobState.RUNNING]
        columns = with_progress(conn, columns, running, lambda job: job.id)
    print_list(secrecy.shown(conn, jobs), columns, as_json=as_json, empty=empty)


def tell_nearest(conn: psycopg.Connection[Any], queue: str | None, target: str | None) -> None:
    """Of a queue or task of which no job was found, say which one may have been meant."""
    if queue is not None and (meant := nearest_queue(conn, queue)) is not None:
        say(f"no job is in a queue {queue}; did you mean {meant}?")
    if target is not None and (meant := nearest_task(conn, target)) is not None:
        say(f"no job is of a task {target}; did you mean {meant}?")


def now(conn: psycopg.Connection[Any]) -> datetime:
    """The moment from which durations in a query count: the database's."""
    return execute(conn, dead.moment_before(timedelta(0)))


def query_of(words: Sequence[str], now: datetime, **more: str | None) -> Query:
    """The query of a command's words and of the options that say the same. Raises UsageError."""
    text = " ".join(words)
    options = [f"{field}={quoted(value)}" for field, value in more.items() if value is not None]
    return parse(" ".join([text, *options]), now)


def _notes(found: Found, limit: int) -> Iterator[str]:
    if found.unread:
        yield f"{found.unread:,} jobs have arguments or labels too large, or too odd, to be looked into"
    if found.heads:
        yield "running jobs were looked for among the first due ones alone"
    if found.next is not None and len(found.candidates) < limit:
        yield (
            f"looked at {found.looked:,} jobs{_back_to(found.next)}, found {len(found.candidates)};"
            f" look further with --before {found.next}, or ten times as far with --further"
        )


def _note(found: Page, asked: Asked) -> str | None:
    if len(found.jobs) == asked.limit:
        return None
    if found.until is not None:
        return (
            f"looked at {found.looked:,} jobs{_back_to(found.until)}, found {len(found.jobs)};"
            f" go on with --before {found.until}"
        )
    return f"running jobs were looked for among the first {found.looked:,} due ones alone" if found.heads else None


def _back_to(job_id: UUID) -> str:
    """When the job was enqueued, if its id tells."""
    if job_id.version != 7:
        return ""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=job_id.int >> 80)
    return f" back to {written(moment)}"
