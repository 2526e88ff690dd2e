"""One job moved by hand: retried, cancelled, buried, put off, changed, run again."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pgqueue import client, encryption, signing
from pgqueue.acting.audited import Actor, Conn, audited
from pgqueue.codec import encode_args
from pgqueue.errors import KeyringError, UsageError
from pgqueue.job import JobState
from pgqueue.record import Job
from pgqueue.sealed import codec_of
from pgqueue.signing import Signer
from pgqueue.store import Statement, dead, execute, operations, sealed_jobs, tenants
from pgqueue.tasks import Task

WAITING = frozenset({JobState.SCHEDULED, JobState.READY, JobState.RETRYING})
EDITABLE = WAITING | {JobState.DEAD}


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of a job that was to be moved: its state now, whether it was done, and what is to be said of it."""

    job_id: UUID
    state: JobState
    done: bool
    said: str | None = None


def retry(conn: Conn, actor: Actor, job_id: UUID) -> Moved:
    """Revive a dead job, or make a waiting one due. Raises JobNotFound."""
    with audited(conn, actor, "jobs retry", job_ids=[job_id]) as act:
        state = client.retry(conn, job_id)
        # Of one that runs it is a word taken back: it was to be cancelled.
        act.done = state in (JobState.READY, JobState.RUNNING)
    revived = state is JobState.READY
    return Moved(job_id, state, revived, None if revived else _NOT_RETRIED[state].format(job_id))


def cancel(conn: Conn, actor: Actor, job_id: UUID) -> Moved:
    """Cancel a job; one that runs is asked to end, and RUNNING still. Raises JobNotFound."""
    with audited(conn, actor, "jobs cancel", job_ids=[job_id]) as act:
        state = client.cancel(conn, job_id)
        act.done = state in (JobState.CANCELLED, JobState.RUNNING)
    said = None if state is JobState.CANCELLED else _TOLD if act.done else _ENDED[state]
    return Moved(job_id, state, act.done, said and said.format(job_id))


def bury(conn: Conn, actor: Actor, job_id: UUID) -> Moved:
    """Make a job that waits dead at once, for a human to look at. Raises JobNotFound."""
    return _moved(conn, actor, "jobs bury", job_id, operations.bury(job_id, actor.reason), ("done",))


def set_priority(conn: Conn, actor: Actor, job_id: UUID, level: int) -> Moved:
    """Give a job that waits another priority. Raises JobNotFound."""
    return _moved(conn, actor, f"jobs priority {level}", job_id, operations.set_priority(job_id, level))


def make_due(conn: Conn, actor: Actor, job_id: UUID) -> Moved:
    """Make a job that waits due now. Raises JobNotFound."""
    at = execute(conn, dead.moment_before(timedelta(0)))
    return _moved(conn, actor, "jobs due-now", job_id, operations.set_due(job_id, at))


def snooze(conn: Conn, actor: Actor, job_id: UUID, until: datetime | timedelta) -> Moved:
    """Let a job that waits be due then, or so long from now by the database's clock. Raises JobNotFound."""
    at = execute(conn, dead.moment_before(-until)) if isinstance(until, timedelta) else until
    action = f"jobs snooze until {at:%Y-%m-%d %H:%M:%S%z}"
    return _moved(conn, actor, action, job_id, operations.set_due(job_id, at))


def edit(
    conn: Conn, actor: Actor, job: Job, args: list[Any] | dict[str, Any], task: Task[..., Any] | None = None
) -> Moved:
    """Give a job that waits or is dead other arguments; the old ones are kept. With a task they must fit it,
    and are kept as its codec writes them. Where this process signs, it is signed anew.

    Raises JobNotFound, ArgumentError, UsageError.
    """
    check_fit(job.target, args, task)
    text = encode_args(args if task is None else task.sealed(args), math.inf)
    change = operations.edit_args(job.id, _kept(job, text), actor.who)
    moved = _moved(conn, actor, "jobs edit", job.id, change, EDITABLE)
    if moved.done:
        if (signer := signing.signer()) is not None:
            _signed(conn, signer, job.id)
        return moved
    return Moved(
        job.id, moved.state, False, f"{job.id} is {moved.state}: only a job that waits or is dead can be edited"
    )


def sign(conn: Conn, actor: Actor, job_id: UUID) -> Moved:
    """Sign a job that waits or is dead as it stands now, with the current key. Raises JobNotFound, KeyringError."""
    signer = signing.signer()
    if signer is None:
        raise KeyringError(
            "there are no keys to sign with: set PGQUEUE_SIGNING_KEYS to file:/path, or call sign_with()"
        )
    with audited(conn, actor, "jobs sign", job_ids=[job_id]) as act:
        act.done = _signed(conn, signer, job_id)
    state = client.get_job(conn, job_id).state
    said = None if act.done else f"{job_id} is {state}: only a job that waits or is dead can be signed"
    return Moved(job_id, state, act.done, said)


def _signed(conn: Conn, signer: Signer, job_id: UUID) -> bool:
    row = execute(conn, sealed_jobs.signable(job_id))
    if row is not None:
        execute(conn, sealed_jobs.seal(job_id, signer.again(job_id, *row)))
    return row is not None


def run_again(
    conn: Conn, actor: Actor, job: Job, args: Sequence[Any] | Mapping[str, Any], task: Task[..., Any] | None = None
) -> Moved:
    """Enqueue a copy of a job with these arguments, due now: `job_id` is the copy's.

    It has the queue, priority, attempts, keys, cost, labels and tenant of the job; what else holds its task says.
    Raises UsageError, and as enqueue() does.
    """
    check_fit(job.target, args, task)
    if encryption.is_in(args) and not encryption.is_encrypted(job.target):
        raise UsageError(
            f"the arguments of {job.id} are encrypted, and those of a copy would not be; say encrypted=True"
        )
    # What was encrypted for that job is for the copy, by who has the key.
    args = encryption.decrypted_args(args, job.id, job.target, lambda _: True)
    with audited(conn, actor, "jobs run-again", job_ids=[job.id]) as act:
        tenant = execute(conn, tenants.act_for_job(job.id))
        copy = client.enqueue(
            conn,
            job.target,
            args,
            queue=job.queue,
            priority=job.priority,
            max_attempts=job.max_attempts,
            unique_key=tenants.said_key(job.unique_key, tenant),
            limit_key=job.limit_key,
            cost=job.cost,
            labels=job.labels,
        )
        act.done = copy.created
    said = None if copy.created else f"nothing was added: {copy.id} is alive, and has the unique key of {job.id}"
    return Moved(copy.id, client.get_job(conn, copy.id).state, copy.created, said)


def _kept(job: Job, text: str) -> str:
    """Arguments as they are written in place of a job's own: never in the clear where those are encrypted."""
    if not encryption.is_encrypted(job.target) and not encryption.is_in(job.args or ()):
        return text
    return encryption.encrypted_args(text, job.target, job.id)


def check_fit(target: str, args: Sequence[Any] | Mapping[str, Any], task: Task[..., Any] | None) -> None:
    """Raise UsageError if arguments do not fit the parameters of a task."""
    if task is None or codec_of(args) is not None:
        return
    misfit = task.misfit((), args) if isinstance(args, Mapping) else task.misfit(args, {})
    if misfit is not None:
        raise UsageError(f"{target}: {misfit}")


def _moved(
    conn: Conn,
    actor: Actor,
    action: str,
    job_id: UUID,
    change: Statement[Any],
    fine: Collection[str] = WAITING,
) -> Moved:
    with audited(conn, actor, action, job_ids=[job_id]) as act:
        act.done = execute(conn, change) in fine
    state = client.get_job(conn, job_id).state
    return Moved(job_id, state, act.done, None if act.done else f"{job_id} does not wait: it is {state}")


_TOLD = (
    "{} runs, and its worker is told to end it: a child process that does not listen is killed after 5 s, a thread goes"
    " on. It will not run again"
)
_ENDED = {JobState.SUCCEEDED: "{} has succeeded already", JobState.DEAD: "{} is dead already"}
_NOT_RETRIED = {
    JobState.RUNNING: "{} runs already; if it was to be cancelled, it no longer is",
    JobState.WAITING: "{} waits for other jobs of its workflow; `pgqueue jobs explain {0}` says for which",
    JobState.SUCCEEDED: "{} has succeeded already; enqueue it anew to run it again",
    JobState.CANCELLED: "{} is cancelled; enqueue it anew to run it",
    JobState.DEAD: "{} is dead and stays so: to be revived it must be the only live job with its unique key",
}
