"""`pgqueue jobs`: look at jobs, and move one by hand."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from pgqueue import client, encryption, returned
from pgqueue.cli import job_changes, job_log, job_moves, job_watch
from pgqueue.cli.acting import Reason, acting
from pgqueue.cli.apps import locate_modules
from pgqueue.cli.bulk import Detach, DryRun, Manner, Rate, StopAt, Trial, Yes, is_query
from pgqueue.cli.bulk import run as run_bulk
from pgqueue.cli.database import connected, served
from pgqueue.cli.decrypting import Decrypt, note_decrypted
from pgqueue.cli.errors import Exit, say, say_error
from pgqueue.cli.job_changes import Which
from pgqueue.cli.job_ids import job_id_of
from pgqueue.cli.job_list import Before, Further, Words, now, print_found, print_page, query_of
from pgqueue.cli.job_page import ATTEMPT_COLUMNS, newest_attempts, print_job
from pgqueue.cli.job_tree import tree
from pgqueue.cli.options import (
    App,
    Dsn,
    Include,
    JobDsn,
    JobId,
    JobRole,
    Json,
    Middleware,
    Most,
    Queue,
    Target,
    TasksOnly,
    choice_option,
    duration_option,
    listing,
    new_group,
)
from pgqueue.cli.output import Columns, print_json, print_list
from pgqueue.cli.telling import tell, telling
from pgqueue.context import at_home_in
from pgqueue.decrypting import decrypted
from pgqueue.errors import EncryptionError
from pgqueue.job import JobState
from pgqueue.leaving_out import without
from pgqueue.record import Job
from pgqueue.redaction import echoing
from pgqueue.store import execute, progress, reading, secrecy, unknown, workflow_reading
from pgqueue.store.diagnosis import diagnosed
from pgqueue.store.job_rights import JobRights
from pgqueue.store.listing import Asked
from pgqueue.tasks import Modules

if TYPE_CHECKING:
    import psycopg

COLUMNS: Columns[Job] = {
    "ID": lambda job: job.id,
    "STATE": lambda job: f"{job.state}, degraded" if job.degraded and job.state.ended else job.state,
    "QUEUE": lambda job: job.queue,
    "TARGET": lambda job: job.target,
    "ATTEMPT": lambda job: job.attempt,
    "DUE": lambda job: job.run_at,
    "ENDED": lambda job: job.finished_at,
    "LAST ERROR": lambda job: job.last_error,
}


def _jobs(dsn: Dsn = None) -> None:
    """Look at jobs, and move one by hand."""


group = new_group(_jobs)


@group.command("list")
@listing
def list_jobs(
    words: Words = None,
    dsn: Dsn = None,
    state: Annotated[
        list[JobState] | None,
        choice_option("--state", "-s", of=JobState, help="Only jobs in this state; repeatable."),
    ] = None,
    queue: Queue = None,
    target: Target = None,
    limit: Most = 50,
    before: Before = None,
    further: Further = False,
    as_json: Json = False,
) -> None:
    """List jobs, the newest first: all, or those that a query asks for.

    Looks at about 20,000 of each kind at most, with a query at 20,000 in all, and then says how to go on.
    """
    with connected(dsn) as conn:
        below = None if before is None else job_id_of(conn, before)
        if words:
            also = [f"state:{','.join(state)}"] if state else []
            asked = query_of([*words, *also], now(conn), queue=queue, task=target)
            print_found(conn, asked, COLUMNS, before=below, limit=limit, further=further, as_json=as_json)
            return
        plain = Asked(states=frozenset(state or JobState), queue=queue, target=target, before=below, limit=limit)
        print_page(conn, plain, COLUMNS, as_json=as_json, empty="No such job.")


@group.command()
def show(
    job_id: JobId, dsn: Dsn = None, as_json: Json = False, decrypt: Decrypt = False, reason: Reason = None
) -> None:
    """Show one job with its attempts, how far it is, and its last traceback."""
    with connected(dsn) as conn:
        found = job_id_of(conn, job_id)
        unknown_since = execute(conn, unknown.parked_since(found))
        job = client.get_job(conn, found)
        said = execute(conn, progress.of([found])).get(found)
        if decrypt:
            note_decrypted(conn, found, "jobs show", reason)
            job, said = decrypted(job), said and decrypted(said)
        rows = newest_attempts(conn, job, decrypt=decrypt)
        (seen,) = secrecy.shown(conn, [job])
        flow = execute(conn, workflow_reading.of_job(found))
        print_job(seen, rows, unknown_since, said, flow, as_json=as_json)


@group.command()
@listing
def attempts(
    job_id: JobId, dsn: Dsn = None, as_json: Json = False, decrypt: Decrypt = False, reason: Reason = None
) -> None:
    """List the ended attempts of a job."""
    with connected(dsn) as conn:
        job = client.get_job(conn, job_id_of(conn, job_id))
        if decrypt:
            note_decrypted(conn, job.id, "jobs attempts", reason)
            job = decrypted(job)
        rows = newest_attempts(conn, job, decrypt=decrypt)
        print_list(rows, ATTEMPT_COLUMNS, as_json=as_json, empty="No attempt has ended yet.")


group.command()(job_log.logs)
group.command()(tree)
group.command()(job_watch.watch)


@group.command()
def result(
    job_id: JobId,
    dsn: Dsn = None,
    wait: Annotated[timedelta | None, duration_option("--wait", "Wait so long for the job to end.")] = None,
    decrypt: Decrypt = False,
    reason: Reason = None,
) -> None:
    """Print what a job returned, as JSON.

    Of a job that ended without success, its traceback, and exit code 1.
    """
    with connected(dsn) as conn:
        found = job_id_of(conn, job_id)
        if wait is None:
            _require_end(client.get_job(conn, found))
        if decrypt:
            note_decrypted(conn, found, "jobs result", reason)
        value = _returned(conn, found, 0.0 if wait is None else wait.total_seconds(), decrypt)
        job = client.get_job(conn, found)
        secrets = secrecy.secrets_in(conn, decrypted(job) if decrypt else job)
        print_json(echoing(value, lambda text: without(text, secrets)))
        if not execute(conn, reading.result(found))[0]:
            say("no result is stored: it was not asked for (--store-result), or its day is over")


@group.command()
@telling
def cancel(
    which: Which,
    dsn: Dsn = None,
    wait: Annotated[timedelta | None, duration_option("--wait", "Wait so long for one that runs to end.")] = None,
    reason: Reason = None,
    rate: Rate = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    detach: Detach = False,
) -> None:
    """Cancel jobs: those named, or those that a query asks for. One that waits never starts.

    One that runs is told to end, and a child process that does not listen is killed after 5 seconds. Whatever becomes
    of its attempt, it does not run again. With --wait, exit code 1 unless it ended cancelled.
    """
    how = Manner(rate=rate, dry_run=dry_run, yes=yes, detach=detach, reason=reason)
    with connected(dsn) as conn:
        if is_query(which):
            run_bulk(conn, "cancel", which, how)
        else:
            job_moves.move_each(conn, which, job_moves.cancel(wait, reason))


@group.command()
@telling
def retry(
    which: Which,
    reason: Reason = None,
    rate: Rate = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    detach: Detach = False,
    trial: Trial = None,
    stop_at: StopAt = None,
    dsn: Dsn = None,
) -> None:
    """Revive dead jobs, or make waiting ones due now: those named, or those that a query asks for."""
    how = Manner(rate=rate, dry_run=dry_run, yes=yes, detach=detach, trial=trial, stop_at=stop_at, reason=reason)
    with connected(dsn) as conn:
        if is_query(which):
            run_bulk(conn, "retry", which, how)
        else:
            job_moves.move_each(conn, which, job_moves.retry(reason))


group.command()(telling(job_changes.bury))
group.command()(telling(job_changes.purge))
group.command()(telling(job_changes.priority))
group.command("due-now")(telling(job_changes.due_now))
group.command()(telling(job_changes.snooze))
group.command()(telling(job_changes.edit))
group.command()(telling(job_changes.sign))
group.command("run-again")(telling(job_changes.run_again))


@group.command()
@telling
def run(
    job_id: JobId,
    app: App = [],  # noqa: B006, typer copies it
    include: Include = [],  # noqa: B006, typer copies it
    tasks_only: TasksOnly = False,
    middleware: Middleware = [],  # noqa: B006, typer copies it
    job_role: JobRole = None,
    job_dsn: JobDsn = None,
    dsn: Dsn = None,
) -> None:
    """Run one job here and now, for a debugger.

    It is claimed by this process, due or not, its queue paused or not, and counts as an attempt as under any worker;
    Ctrl-C gives the attempt back. Exit code 1 unless it succeeds.
    """
    from pgqueue.worker.foreground import run_job
    from pgqueue.worker.log import LogObserver

    modules = Modules(tuple(app), tuple(include), tasks_only)
    locate_modules(modules)
    with served(dsn) as address:
        with connected(address) as conn:
            found = client.get_job(conn, job_id_of(conn, job_id)).id
            with acting(conn, "jobs run", job_ids=[found]):
                pass
        with diagnosed(), at_home_in(job_dsn or address):
            seen, rights = LogObserver(level="warning"), JobRights(job_role, job_dsn)
            finished = run_job(address, found, modules=modules, middleware=middleware, rights=rights, observe=seen)
        with connected(address) as conn:
            job = client.get_job(conn, found)
    if finished is None:
        say_error(_not_claimable(job))
        raise typer.Exit(Exit.FAILED)
    settlement = finished.settlement
    if settlement.traceback or settlement.error:
        said = settlement.traceback or f"{settlement.error_type or settlement.outcome}: {settlement.error}"
        say(encryption.in_words(said).rstrip())
    tell(
        f"attempt {finished.claim.attempt} {settlement.outcome} after {finished.elapsed:.3f} s; job {job.state}",
        job=job.id,
        attempt=finished.claim.attempt,
        outcome=settlement.outcome,
        elapsed=finished.elapsed,
        state=job.state,
    )
    raise typer.Exit(Exit.FINE if settlement.outcome == "succeeded" else Exit.FAILED)


def _returned(conn: psycopg.Connection[Any], job_id: UUID, timeout: float, decrypt: bool) -> Any:
    """What a job returned; of what is encrypted, that it is, unless it is to be decrypted."""
    if decrypt:
        return returned.result(conn, job_id, timeout=timeout)
    try:
        with encryption.unread():
            return returned.result(conn, job_id, timeout=timeout)
    except EncryptionError as error:
        return encryption.shown(error.key)


def _require_end(job: Job) -> None:
    if not job.state.ended:
        say_error(f"job {job.id} is {job.state} and has no result yet; --wait 60 waits for it")
        raise typer.Exit(Exit.FAILED)


def _not_claimable(job: Job) -> str:
    if job.state is JobState.RUNNING:
        return f"job {job.id} runs already, on worker {job.worker}"
    if job.state is JobState.DEAD:
        return f"job {job.id} is dead; revive it first: `pgqueue jobs retry {job.id}`"
    if job.state is JobState.MANUAL:
        return f"job {job.id} waits for a human; give it back to its code first: `pgqueue jobs retry {job.id}`"
    if job.state.ended:
        return (
            f"job {job.id} has {job.state} already" if job.state is JobState.SUCCEEDED else f"job {job.id} is cancelled"
        )
    return f"job {job.id} is past its ttl: it must not be started any more, and a worker will bury it"
