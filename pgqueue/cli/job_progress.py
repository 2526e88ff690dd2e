"""How far a job is, in words and as a bar."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from pgqueue.cli.output import Columns, rounded, written
from pgqueue.encryption import in_words
from pgqueue.printable import in_one_line
from pgqueue.record import JobProgress
from pgqueue.store import execute, progress

if TYPE_CHECKING:
    import psycopg

T = TypeVar("T")
WIDTH = 20
# Behind it stands what may be long.
LAST = "LAST ERROR"


def bar(share: float) -> str:
    """A bar of letters; full when all is done, and not before."""
    full = int(share * WIDTH)
    return f"[{'#' * full}{'-' * (WIDTH - full)}]"


def facts_of(said: JobProgress, attempt: int) -> Iterator[tuple[str, str]]:
    """What there is to tell, by name; `attempt` is the one that the job is at."""
    whose = f" in attempt {said.attempt}" if said.attempt != attempt else ""
    line = ", ".join([amount_of(said), *pace_of(said)])
    yield "progress", f"{line if said.share is None else f'{bar(said.share)} {line}'}{whose}"
    yield "said", f"{written(said.at)}{f': {in_one_line(in_words(said.note), 300)}' if said.note else ''}"


def short(said: JobProgress | None) -> str | None:
    """In a cell of a table."""
    if said is None:
        return None
    return number(said.done) if said.share is None else f"{int(said.share * 100)} %"


def amount_of(said: JobProgress) -> str:
    """How much of how much."""
    if said.total is None or said.share is None:
        return number(said.done)
    return f"{int(said.share * 100)} %, {number(said.done)} of {number(said.total)}"


def pace_of(said: JobProgress) -> list[str]:
    """How fast, and for how long still; nothing of one that has done all."""
    if said.rate is None or said.share == 1:
        return []
    slow = said.rate < 0.1
    pace = f"{number(round(said.rate * 3600, 1))}/h" if slow else f"{number(round(said.rate, 1))}/s"
    return [pace, *([f"about {rounded(said.rest)} left"] if said.rest is not None and said.rest > timedelta() else [])]


def number(value: float) -> str:
    """A number, without a fraction where there is none."""
    return f"{int(value):,}" if value == int(value) else f"{value:,.6g}"


def with_progress(
    conn: psycopg.Connection[Any], columns: Columns[T], running: Sequence[UUID], job_of: Any
) -> Columns[T]:
    """The columns, and how far each of the jobs is, if one of those that run says so; `job_of(row)` is its id."""
    said = execute(conn, progress.of(running)) if running else {}
    if not said:
        return columns
    shown = {**columns}
    last = {LAST: shown.pop(LAST)} if LAST in shown else {}
    return {**shown, "PROGRESS": lambda row: short(said.get(job_of(row))), **last}
