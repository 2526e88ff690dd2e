"""`pgqueue manual`: jobs that fell back to a human, and what the human answers."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Annotated

import typer

from pgqueue import client
from pgqueue.acting import manual as acts
from pgqueue.cli import jobs as jobs_command
from pgqueue.cli.acting import Reason, actor
from pgqueue.cli.database import connected
from pgqueue.cli.errors import Exit, say_error
from pgqueue.cli.job_ids import job_id_of
from pgqueue.cli.job_moves import move_each, moved
from pgqueue.cli.options import Dsn, JobId, JobIds, Json, Most, listing, new_group
from pgqueue.cli.output import Columns, print_list
from pgqueue.cli.telling import telling
from pgqueue.codec import encode
from pgqueue.errors import UsageError
from pgqueue.job import JobState
from pgqueue.record import ManualJob
from pgqueue.store import execute, manual, secrecy

COLUMNS: Columns[ManualJob] = {
    "ID": lambda row: row.job.id,
    "SINCE": lambda row: row.since,
    "QUEUE": lambda row: row.job.queue,
    "TARGET": lambda row: row.job.target,
    "ARGS": lambda row: row.job.args,
    "ERROR": lambda row: row.job.last_error,
}


def _manual(dsn: Dsn = None) -> None:
    """Look at jobs that wait for a human, and answer in place of their code."""


group = new_group(_manual)


@group.command("list")
@listing
def list_manual(dsn: Dsn = None, limit: Most = 50, as_json: Json = False) -> None:
    """List the jobs that wait for a human, the longest first.

    Of a queue or a task: `pgqueue jobs list state:manual queue:mail`.
    """
    with connected(dsn) as conn:
        rows = execute(conn, manual.page(limit))
        shown = secrecy.shown(conn, [row.job for row in rows])
        seen = [replace(row, job=job) for row, job in zip(rows, shown, strict=True)]
        print_list(seen, COLUMNS, as_json=as_json, empty="No job waits for a human.")


@group.command()
def show(job_id: JobId, dsn: Dsn = None, as_json: Json = False) -> None:
    """Show one job that waits for a human, with the attempts of its code and the last traceback."""
    with connected(dsn) as conn:
        job = client.get_job(conn, job_id_of(conn, job_id))
    if job.state is not JobState.MANUAL:
        say_error(f"job {job.id} does not wait for a human, it is {job.state}; see `pgqueue jobs show {job.id}`")
        raise typer.Exit(Exit.NOT_FOUND)
    jobs_command.show(job_id, dsn, as_json)


@group.command()
@telling
def done(
    job_id: JobId,
    result: Annotated[
        str, typer.Option("--result", metavar="JSON", help="What came of it: the job's result.")
    ] = "null",
    reason: Reason = None,
    dsn: Dsn = None,
) -> None:
    """Let a job succeed that waits for a human, with what the human found as its result.

    Whoever waits for it is woken, as by any success. `pgqueue jobs retry` gives it back to its code instead, and
    `pgqueue jobs cancel` calls it off.
    """
    text = _json(result)
    with connected(dsn) as conn:
        move_each(conn, [job_id], moved(lambda conn, found: acts.done(conn, actor(reason), found, text)))


@group.command()
@telling
def fail(
    job_ids: JobIds,
    why: Annotated[str | None, typer.Option("--why", metavar="TEXT", help="Its error, and the audit's reason.")] = None,
    dsn: Dsn = None,
) -> None:
    """Give up jobs that wait for a human: they are dead, reason `given up`."""
    with connected(dsn) as conn:
        move_each(conn, job_ids, moved(lambda conn, found: acts.fail(conn, actor(why), found)))


def _json(text: str) -> str:
    """The text as it is stored. Raises UsageError where it is no JSON."""
    try:
        return encode(json.loads(text), "result")
    except ValueError as error:
        raise UsageError(
            f"--result must be JSON, as '{{\"price\": 12}}' or '\"a text\"', got {text!r:.80}: {error}"
        ) from None
