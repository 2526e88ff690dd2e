"""`pgqueue jobs logs`: what a job said, of one attempt or all, and what it says now."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from pgqueue import client
from pgqueue.cli.acting import Reason
from pgqueue.cli.database import connected
from pgqueue.cli.decrypting import Decrypt, note_decrypted
from pgqueue.cli.errors import say
from pgqueue.cli.job_ids import job_id_of
from pgqueue.cli.options import Dsn, JobId, Json, Most, choice_option
from pgqueue.cli.output import paint, print_json
from pgqueue.decrypting import decrypted
from pgqueue.encryption import in_words, shown_value
from pgqueue.job import JobState
from pgqueue.jsonable import jsonable
from pgqueue.printable import as_json as printable_json
from pgqueue.printable import in_lines
from pgqueue.record import Job, LogLine
from pgqueue.store import execute, job_logs, reports

if TYPE_CHECKING:
    import psycopg

# Seconds between two looks at a job that is followed, and how long the last words of one that has ended are waited for.
EVERY, LAST_WORDS = 0.5, 2.0
# Lines of one look.
MOST = 1_000
STYLES = {"error": "red", "warning": "yellow", "debug": "dim"}


class Level(StrEnum):
    """From when on a line is shown."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def logs(
    job_id: JobId,
    dsn: Dsn = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on until the job ends, over all its attempts.")
    ] = False,
    attempt: Annotated[
        int | None, typer.Option("--attempt", metavar="N", min=0, help="Only what this attempt said.")
    ] = None,
    level: Annotated[Level | None, choice_option("--level", of=Level, help="From when on a line is shown.")] = None,
    limit: Most = MOST,
    as_json: Json = False,
    decrypt: Decrypt = False,
    reason: Reason = None,
) -> None:
    """Show what a job said by `job.log`, and what was logged in it where that is kept: the last lines of it.

    A job that runs is read about a second behind. With -f and --json each line is an object.
    """
    with connected(dsn) as conn:
        found = client.get_job(conn, job_id_of(conn, job_id)).id
        wanted = attempt, None if level is None else level.value
        if decrypt:
            note_decrypted(conn, found, "jobs logs", reason)
        opened = partial(_opened, found) if decrypt else _as_it_is
        lines = execute(conn, job_logs.tail(found, limit + 1, job_logs.LAST, *wanted))
        if len(lines) > limit:
            say(f"these are the last {limit:,} lines; more: --limit {10 * limit}, or select * from pgqueue.job_logs")
        lines = list(opened(lines[-limit:]))
        if not follow:
            if as_json:
                print_json(lines)
            else:
                _print(lines, None)
                if not lines:
                    typer.echo("It said nothing that is kept.")
            return
        try:
            _follow(conn, found, lines, wanted, opened, as_json=as_json)
        except KeyboardInterrupt:
            return


def _follow(
    conn: psycopg.Connection[Any],
    job_id: UUID,
    lines: Sequence[LogLine],
    wanted: tuple[int | None, str | None],
    opened: Callable[[Sequence[LogLine]], Sequence[LogLine]],
    *,
    as_json: bool,
) -> None:
    last: LogLine | None = None
    for number, batch in enumerate(_batches(conn, job_id, lines, wanted)):
        # The first are those that were read before.
        more = opened(batch) if number else batch
        if as_json:
            for line in more:
                typer.echo(printable_json(shown_value(jsonable(line))))
        else:
            _print(more, last)
        last = more[-1] if more else last


def _opened(job_id: UUID, lines: Sequence[LogLine]) -> Sequence[LogLine]:
    return [decrypted(line, job_id) for line in lines]


def _as_it_is(lines: Sequence[LogLine]) -> Sequence[LogLine]:
    return lines


def _batches(
    conn: psycopg.Connection[Any], job_id: UUID, lines: Sequence[LogLine], wanted: tuple[int | None, str | None]
) -> Iterator[Sequence[LogLine]]:
    """What was said so far, and then what is said, until nothing more can come; bounded looks, a moment apart."""
    yield lines
    place = (lines[-1].claim, lines[-1].seq) if lines else job_logs.FIRST
    quiet_since: float | None = None
    while True:
        # Before the lines: what it said until then is among them, or comes in a moment.
        job = client.get_job(conn, job_id)
        is_over = _is_over(job, wanted[0])
        more = execute(conn, job_logs.said_by(job_id, *wanted, MOST, place))
        if more:
            place = more[-1].claim, more[-1].seq
            yield more
        if is_over and _is_long_ago(conn, job):
            return
        quiet_since = (quiet_since or time.monotonic()) if is_over else None
        if quiet_since is not None and time.monotonic() - quiet_since > LAST_WORDS:
            return
        if len(more) < MOST:
            time.sleep(EVERY)


def _is_over(job: Job, attempt: int | None) -> bool:
    if job.state.ended or attempt is None:
        return job.state.ended
    return job.attempt > attempt or (job.attempt == attempt and job.state is not JobState.RUNNING)


def _is_long_ago(conn: psycopg.Connection[Any], job: Job) -> bool:
    ended = job.finished_at
    return ended is not None and execute(conn, reports.now()) - ended > timedelta(seconds=2 * LAST_WORDS)


def _print(lines: Sequence[LogLine], before: LogLine | None) -> None:
    """Print lines; what one of them has below its first stands further in, so that none can pretend to be another."""
    for line in lines:
        if before is None or line.claim != before.claim:
            typer.echo(paint(f"attempt {line.attempt}", "bold"))
        before = line
        head, *below = in_lines(in_words(line.line)).split("\n")
        level = f"{line.level.upper():7}"
        if line.level in STYLES:
            level = paint(level, STYLES[line.level])
        typer.echo(f"{_clock(line.at)} {level} {head}")
        for each in below:
            typer.echo(f"    {each}")


def _clock(at: datetime) -> str:
    try:
        at = at.astimezone()
    except (OverflowError, ValueError, OSError):
        at = at.astimezone(UTC)
    return at.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
