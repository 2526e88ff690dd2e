"""`pgqueue dead`: jobs that ended without success, and wait for a human."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from uuid import UUID

import typer

from pgqueue import client
from pgqueue.cli import jobs as jobs_command
from pgqueue.cli.acting import Reason, acting, note_end
from pgqueue.cli.cause_names import cause_of_prefix
from pgqueue.cli.database import connected
from pgqueue.cli.decrypting import Decrypt
from pgqueue.cli.errors import Exit, say, say_error
from pgqueue.cli.job_ids import job_id_of
from pgqueue.cli.job_list import Before, Further, Words, now, print_found, print_page, query_of
from pgqueue.cli.options import Dsn, JobId, Json, Most, Queue, Target, duration_option, listing, new_group
from pgqueue.cli.output import Columns
from pgqueue.cli.telling import tell, telling
from pgqueue.errors import UsageError
from pgqueue.job import JobState
from pgqueue.record import Job
from pgqueue.store import dead, execute
from pgqueue.store.listing import Asked

COLUMNS: Columns[Job] = {
    "ID": lambda job: job.id,
    "DIED": lambda job: job.finished_at,
    "REASON": lambda job: job.reason,
    "QUEUE": lambda job: job.queue,
    "TARGET": lambda job: job.target,
    "ATTEMPT": lambda job: job.attempt,
    "ERROR": lambda job: job.last_error,
}
# A batch is a transaction: short enough to be in nobody's way.
BATCH = 500
# Rows that are looked at to say how many a purge would forget.
COUNT_LIMIT = 20_000


def _dead(dsn: Dsn = None) -> None:
    """Look at dead jobs, revive or forget them."""


group = new_group(_dead)


@group.command("list")
@listing
def list_dead(
    words: Words = None,
    dsn: Dsn = None,
    queue: Queue = None,
    target: Target = None,
    cause: Annotated[
        str | None,
        typer.Option("--cause", metavar="CAUSE", help="Only jobs that died of this, or of its first digits."),
    ] = None,
    limit: Most = 50,
    before: Before = None,
    further: Further = False,
    as_json: Json = False,
) -> None:
    """List dead jobs, the newest first, with the reason and the last error: all, or those that a query asks for.

    Looks at 20,000 at most, and then says how to go on.
    """
    if words and cause is not None:
        raise UsageError("--cause narrows the list of all dead jobs; leave it or the query out")
    with connected(dsn) as conn:
        below = None if before is None else job_id_of(conn, before)
        if words:
            asked = query_of([*words, "state:dead"], now(conn), queue=queue, task=target)
            print_found(conn, asked, COLUMNS, before=below, limit=limit, further=further, as_json=as_json)
            return
        died_of = None if cause is None else cause_of_prefix(conn, cause)
        dead_only = frozenset({JobState.DEAD})
        plain = Asked(states=dead_only, queue=queue, target=target, before=below, limit=limit, cause=died_of)
        print_page(conn, plain, COLUMNS, as_json=as_json, empty="No dead job.")


@group.command()
def show(
    job_id: JobId, dsn: Dsn = None, as_json: Json = False, decrypt: Decrypt = False, reason: Reason = None
) -> None:
    """Show one dead job with its attempts and its last traceback."""
    with connected(dsn) as conn:
        job = client.get_job(conn, job_id_of(conn, job_id))
    if job.state is not JobState.DEAD:
        say_error(f"job {job.id} is not dead, it is {job.state}; see `pgqueue jobs show {job.id}`")
        raise typer.Exit(Exit.NOT_FOUND)
    jobs_command.show(job_id, dsn, as_json, decrypt, reason)


@group.command()
@telling
def retry(
    job_ids: Annotated[list[str] | None, typer.Argument(metavar="ID...", help="The jobs' ids; or --all.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All dead jobs, or those of a queue or task.")] = False,
    queue: Queue = None,
    target: Target = None,
    reason: Reason = None,
    dsn: Dsn = None,
) -> None:
    """Revive dead jobs with fresh attempts: the ones named, or all of them in batches of 500."""
    if bool(job_ids) == everything:
        raise UsageError("name dead jobs by id, or say --all")
    if job_ids and (queue or target):
        raise UsageError("--queue and --target narrow --all; jobs named by id need neither")
    if job_ids:
        jobs_command.retry(job_ids, reason, dsn=dsn)
        return
    revived = kept = 0
    after: UUID | None = None
    with connected(dsn) as conn:
        with acting(conn, "dead retry --all", on=_narrowed(queue, target), reason=reason):
            pass
        while (batch := execute(conn, dead.retry_batch(queue, target, after, BATCH))).last is not None:
            revived, kept, after = revived + batch.revived, kept + batch.kept, batch.last
        note_end(conn, "dead retry --all", revived, on=_narrowed(queue, target), reason=reason)
    tell(f"{revived:,} revived", revived=revived, kept=kept)
    if kept:
        say(f"{kept:,} stay dead: a live job has their unique key")


@group.command()
@telling
def purge(
    older_than: Annotated[
        timedelta, duration_option("--older-than", "Only jobs that died longer ago than this.")
    ] = timedelta(0),
    queue: Queue = None,
    target: Target = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    reason: Reason = None,
    dsn: Dsn = None,
) -> None:
    """Forget dead jobs for good, in batches of 500. Their attempts stay in the history for its keeping time."""
    with connected(dsn) as conn:
        before = execute(conn, dead.moment_before(older_than))
        found, more = execute(conn, dead.count(queue, target, before, COUNT_LIMIT))
        if not found and not more:
            tell("No dead job to purge.", purged=0)
            return
        many = (
            f"{found:,} dead jobs" if not more else f"{found:,} of the oldest {COUNT_LIMIT:,} dead jobs, and any later"
        )
        if not yes and not typer.confirm(f"Forget {many} for good?", err=True):
            say("nothing was purged")
            raise typer.Exit(Exit.FAILED)
        with acting(conn, "dead purge", on=_narrowed(queue, target, older_than), reason=reason):
            pass
        purged, after = 0, None
        while (batch := execute(conn, dead.purge_batch(queue, target, before, after, BATCH))).last is not None:
            purged, after = purged + batch.forgotten, batch.last
        note_end(conn, "dead purge", purged, on=_narrowed(queue, target, older_than), reason=reason)
    if not purged:
        tell("No dead job to purge.", purged=0)
        return
    tell(f"{purged:,} purged", purged=purged)


def _narrowed(queue: str | None, target: str | None, older_than: timedelta = timedelta(0)) -> str | None:
    """What an act was narrowed to, as the audit has it."""
    said = {"queue": queue, "task": target, "older-than": older_than or None}
    return " ".join(f"{name}:{value}" for name, value in said.items() if value is not None) or None
