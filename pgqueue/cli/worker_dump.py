"""`pgqueue workers dump`: where the jobs of a worker are in their code, as the worker itself tells."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import typer

from pgqueue.acting.workers import ask_dump
from pgqueue.cli.acting import actor
from pgqueue.cli.errors import say
from pgqueue.cli.output import paint, print_json
from pgqueue.cli.spans import brief_seconds
from pgqueue.errors import PgqueueError
from pgqueue.printable import in_lines, in_one_line
from pgqueue.store import dumps, execute, worker_reports
from pgqueue.store.dumps import Dump, JobThere
from pgqueue.store.workers import WorkerRow

if TYPE_CHECKING:
    import psycopg

# Seconds between two looks whether it has answered.
EVERY = 0.1


class Unanswered(PgqueueError):
    """The worker did not say where its jobs are."""


def told_by(conn: psycopg.Connection[Any], row: WorkerRow, timeout: float) -> Dump:
    """Ask a worker, and wait for its answer. Raises Unanswered."""
    report = execute(conn, worker_reports.reports()).get(row.id)
    if report is not None and "dump" not in report.can:
        kind = f"pgqueue {in_one_line(report.pgqueue, 40)}" if report.pgqueue else "another language"
        raise Unanswered(f"worker {row.id} cannot be asked: it is of {kind}, which does not know the question")
    asked_at = ask_dump(conn, actor(), row)
    if asked_at is None:
        raise Unanswered(f"worker {row.id} has ended meanwhile")
    if not row.alive:
        say(f"the lease of {row.id} has expired; it may not hear of it any more")
    deadline = time.monotonic() + timeout
    while (found := execute(conn, dumps.answer(row.id, asked_at))) is None:
        if time.monotonic() > deadline:
            raise Unanswered(_why(row, timeout, known=report is not None))
        time.sleep(EVERY)
    return found


def print_dump(row: WorkerRow, found: Dump, *, as_json: bool, threads: bool) -> None:
    """Print where its jobs are, and with `threads` where its own threads are."""
    if as_json:
        print_json(found)
        return
    took = (found.told_at - found.asked_at).total_seconds()
    typer.echo(f"worker {row.id} ({in_one_line(row.host)}, pid {row.pid}) answered in {brief_seconds(max(0.0, took))}")
    for job in found.jobs:
        typer.echo(f"\n{paint(_title(job), 'bold')}")
        text = job.stack or f"no stack: {job.why or 'it was not in its own code at that moment'}"
        for line in in_lines(text).rstrip().split("\n"):
            typer.echo(f"  {line}")
    if not found.jobs:
        typer.echo("It runs no job.")
    if found.left_out:
        typer.echo(f"\nand {found.left_out:,} more")
    if threads:
        typer.echo(f"\n{paint('its threads', 'bold')}")
        for name, where in found.threads.items():
            typer.echo(f"  {in_one_line(name, 80)}: {in_one_line(where, 2_000)}")


def _title(job: JobThere) -> str:
    spent = "" if job.seconds is None else f", for {brief_seconds(job.seconds)}"
    child = "" if job.pid is None else f", in child {job.pid}"
    return in_one_line(f"job {job.job} {job.target} attempt {job.attempt}{spent}{child}", 500)


def _why(row: WorkerRow, timeout: float, *, known: bool) -> str:
    hint = "it may be busy, or away; its log has the same after a signal TTIN"
    if not known:
        hint = "it has not said of itself yet what it can: it has just begun, or is of another release or language"
    return f"worker {row.id} did not answer within {timeout:g} s; {hint}"
