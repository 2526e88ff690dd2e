"""A page of jobs, and what to know beside it: how far the look for them went, and how to go on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from pgqueue.cli.errors import Exit, say, say_error
from pgqueue.cli.output import Columns, print_list, written
from pgqueue.record import Job
from pgqueue.store.listing import Asked, Page, page

if TYPE_CHECKING:
    import psycopg

Limit = Annotated[int, typer.Option("--limit", "-n", metavar="N", min=1, max=10_000, help="At most so many.")]
Before = Annotated[
    UUID | None, typer.Option("--before", metavar="ID", help="Only jobs with a lower id: the next page.")
]
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
        print_list(found.jobs, columns, as_json=as_json, empty=empty)
    if note := _note(found, asked):
        say(note)


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
