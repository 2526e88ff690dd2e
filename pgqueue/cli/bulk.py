"""Bulk actions on the command line: previewed, asked for, and driven here or left to the workers."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pgqueue import operations
from pgqueue.cli.acting import VIA, who
from pgqueue.cli.errors import Exit, say, say_error
from pgqueue.cli.job_list import BUSY, now
from pgqueue.cli.telling import tell
from pgqueue.errors import OptionError, UsageError
from pgqueue.operations import Plan, Preview
from pgqueue.printable import in_one_line
from pgqueue.store import execute, searching
from pgqueue.store.operations import Operation, stop

if TYPE_CHECKING:
    import psycopg


def _said(read: Callable[[str], float]) -> Callable[[str | float], float]:
    """A reader of an option; what it refuses is the option's fault."""

    def option(text: str | float) -> float:
        if isinstance(text, float):
            return text
        try:
            return read(text)
        except OptionError as error:
            raise typer.BadParameter(str(error)) from error

    return option


Rate = Annotated[
    float | None,
    typer.Option(
        "--rate",
        metavar="N/s",
        parser=_said(operations.rate_of),
        help="Of a query: at most so many a second; also /m, /h.",
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Of a query: say what would be done, and do nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Of a query: do not ask.")]
Detach = Annotated[bool, typer.Option("--detach", help="Of a query: leave it to the workers, and end.")]
Trial = Annotated[
    int | None,
    typer.Option(
        "--trial", metavar="N", min=1, max=500, help="Of a query: so many first, and see what becomes of them."
    ),
]
StopAt = Annotated[
    float | None,
    typer.Option(
        "--stop-at",
        metavar="SHARE",
        parser=_said(operations.share_of),
        help="Of a trial: stop if more failed again; 50%.",
    ),
]
Export = Annotated[
    Path | None,
    typer.Option("--export", metavar="FILE", dir_okay=False, help="Write each job there first, as JSON lines."),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a bulk action is done, as its options say."""

    rate: float | None = None
    dry_run: bool = False
    yes: bool = False
    detach: bool = False
    trial: int | None = None
    stop_at: float | None = None
    export: Path | None = None
    reason: str | None = None


def is_query(words: Sequence[str]) -> bool:
    """Whether the words are a query, and no ids."""
    return any(sign in word for word in words for sign in ":=<>")


def run(
    conn: psycopg.Connection[Any], kind: str, words: Sequence[str], how: Manner, priority: int | None = None
) -> None:
    """Preview a bulk action, ask, and do it. Raises UsageError, typer.Exit."""
    if how.detach and how.export is not None:
        raise UsageError("--export writes here, and --detach leaves the work to the workers: leave one of them out")
    plan = Plan(
        kind=kind,
        filter=" ".join(words),
        made_at=now(conn),
        who=who(),
        via=VIA,
        priority=priority,
        rate=how.rate,
        trial=how.trial,
        most_failing=how.stop_at,
        detached=how.detach,
        reason=how.reason,
    )
    seen = operations.preview(conn, plan)
    if seen is None:
        say_error(BUSY)
        raise typer.Exit(Exit.FAILED)
    say(operations.in_words(kind, seen))
    _show(conn, seen)
    if seen.whole and not seen.count:
        tell("No such job.", done=0)
        return
    if how.dry_run:
        return
    if not how.yes:
        _ask(kind, seen)
    number = operations.begin(conn, plan)
    if how.detach:
        tell(f"operation {number}", operation=number)
        say(f"the workers do it; `pgqueue operations show {number}` says how far they are")
        return
    drive(conn, number, how.export)


def drive(conn: psycopg.Connection[Any], number: int, export: Path | None = None) -> None:
    """Do an operation here to its end, and say what came of it. ^C stops it. Raises typer.Exit."""
    out = None if export is None else os.open(export, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def write(lines: Sequence[str]) -> None:
        assert out is not None
        with os.fdopen(os.dup(out), "a", encoding="utf-8", errors="surrogateescape") as file:
            file.writelines(f"{line}\n" for line in lines)
            file.flush()
            os.fsync(file.fileno())

    try:
        while (pause := operations.step(conn, number, None if out is None else write).pause) is not None:
            if sys.stderr.isatty():
                typer.echo(f"\r{_progress(operations.get(conn, number))}\x1b[K", err=True, nl=False)
            time.sleep(pause)
    except KeyboardInterrupt:
        conn.rollback()
        execute(conn, stop(number, "interrupted"))
        _end(operations.get(conn, number))
        raise typer.Exit(Exit.FAILED) from None
    finally:
        if out is not None:
            os.close(out)
    _end(operations.get(conn, number))


def _show(conn: psycopg.Connection[Any], seen: Preview) -> None:
    samples = execute(conn, searching.jobs_of(seen.samples))
    for job in samples:
        say(f"  {job.id} {job.state} {in_one_line(job.queue, 40)} {in_one_line(job.target, 80)}")
    if len(samples) < seen.count:
        say("  ...")


def _ask(kind: str, seen: Preview) -> None:
    if operations.is_to_be_typed(seen):
        said = typer.prompt(f"These are many. Type {seen.count} to {kind} all of them", err=True)
        agreed = str(said).replace(",", "").strip() == str(seen.count)
    else:
        agreed = typer.confirm(f"{kind.capitalize()} {seen.count:,} jobs?", err=True)
    if not agreed:
        say("nothing was done")
        raise typer.Exit(Exit.FAILED)


def _progress(operation: Operation | None) -> str:
    if operation is None:
        return ""
    rate = "" if operation.rate is None else f", at most {operation.rate:g}/s"
    return f"{operation.done:,} {operations.PAST[operation.kind]}, {operation.looked:,} looked at{rate}"


def _end(operation: Operation | None) -> None:
    if operation is None:
        raise typer.Exit(Exit.NOT_FOUND)
    numbers = {"done": operation.done, "skipped": operation.skipped, "failed": operation.failed}
    tell(
        f"{operation.done:,} {operations.PAST[operation.kind]}",
        operation=operation.id,
        state=operation.state,
        **numbers,
    )
    if operation.skipped:
        say(f"{operation.skipped:,} stay as they were: they moved meanwhile, or cannot be moved")
    if operation.failed:
        say_error(f"{operation.failed:,} could not be moved; the server's log says why")
    if operation.state == "stopped":
        say_error(
            f"operation {operation.id} is stopped: {in_one_line(operation.why or '')};"
            f" `pgqueue operations resume {operation.id}` goes on"
        )
    if operation.failed or operation.state == "stopped":
        raise typer.Exit(Exit.FAILED)
