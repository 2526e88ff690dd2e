"""What producers call: each function runs one statement on the caller's connection, in the caller's transaction.

With an async connection each returns an awaitable. None of them commits.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping
from datetime import datetime
from typing import Any, Unpack, overload
from uuid import UUID

from pgqueue.enqueued import Enqueued
from pgqueue.errors import UsageError
from pgqueue.job import Args, FollowUps, JobState, NewJob, Notify, OnConflict, Target, Unique, UniqueUntil
from pgqueue.job_log import LEVELS
from pgqueue.naming import JobRef, id_of
from pgqueue.options import Duration, check_choice, check_integer
from pgqueue.record import Attempt, Job, LogLine, TreeNode
from pgqueue.sending import send_many, send_one
from pgqueue.store import Statement, jobs, lineage, reading
from pgqueue.store import job_logs as lines
from pgqueue.store.asking import ask, required
from pgqueue.store.connection import AnyConnection, AsyncConnection, SyncConnection
from pgqueue.tasks import CallOptions, check_call_options
from pgqueue.tasks.addressing import Names, named


@overload
def enqueue(conn: SyncConnection, target: Target, args: Args = None, **options: Unpack[CallOptions]) -> Enqueued: ...
@overload
def enqueue(
    conn: AsyncConnection, target: Target, args: Args = None, **options: Unpack[CallOptions]
) -> Awaitable[Enqueued]: ...
def enqueue(
    conn: AnyConnection,
    target: Target,
    args: Args = None,
    *,
    queue: str | None = None,
    priority: int | None = None,
    delay: Duration | None = None,
    run_at: datetime | None = None,
    ttl: Duration | None = None,
    timeout: Duration | None = None,
    max_attempts: int | None = None,
    unique_key: str | None = None,
    unique: Unique | None = None,
    unique_until: UniqueUntil | None = None,
    unique_for: Duration | None = None,
    on_conflict: OnConflict | None = None,
    max_wait: Duration | None = None,
    limit_key: str | None = None,
    cost: int | None = None,
    store_result: bool | None = None,
    labels: Mapping[str, str] | None = None,
    notify: Notify | None = None,
    max_args: int | None = None,
    job_id: UUID | None = None,
    on_success: FollowUps | None = None,
    on_failure: FollowUps | None = None,
    on_end: FollowUps | None = None,
    dead_to: Target | None = None,
    **unknown: Any,
) -> Enqueued | Awaitable[Enqueued]:
    """Enqueue one job in the transaction open on `conn`: it exists if and only if that transaction commits.

    `target` is `"module:function"`, a module-level function or a Task; the options of a task that this process has
    imported hold where none are given here. `args`: a list is positional, a mapping is by keyword. `delay`, `ttl` and
    `timeout` are seconds or timedeltas; `run_at` needs a time zone. `ttl` counts from when the job falls due.

    If a live job has the same `unique_key`, or any job has the same `job_id`, that one is answered and nothing is
    added (`created` is False). Two enqueuers of one key wait for each other; at REPEATABLE READ and above the second
    gets PostgreSQL's serialization failure, as with any unique key. `unique="args"` makes the key from target and
    arguments. `unique_until="start"` lets go of it when the job starts, `unique_for` holds it so long after the job
    falls due. `on_conflict="replace"` gives a job that waits what this call says (`replaced` is True); its run_at moves
    if the call has one, at most `max_wait` after that job was enqueued.
    `cost` is as how many starts of a rate the job counts, `max_args` how many bytes its arguments may have (1 MB).
    `on_success`, `on_failure` (dead) and `on_end` are jobs that are enqueued in the transaction of its end, beside
    those of its task: Tasks, `"module:function"` or NewJobs; `dead_to` is one more that follows where it is dead.

    Raises TargetError, ArgumentError (SignatureError where the function is imported and does not take these arguments),
    OptionError: then nothing was sent; and KeyTaken with `on_conflict="raise"`, an
    error of the database, after which a transaction can only be rolled back, to a savepoint at least. O(log n).
    """
    if unknown:
        check_call_options("enqueue", unknown)
    if isinstance(target, NewJob):
        raise UsageError("target is a NewJob; pass it to enqueue_many(conn, [new]), or its target and arguments here")
    new = NewJob(
        target,
        args,
        queue=queue,
        priority=priority,
        delay=delay,
        run_at=run_at,
        ttl=ttl,
        timeout=timeout,
        max_attempts=max_attempts,
        unique_key=unique_key,
        unique=unique,
        unique_until=unique_until,
        unique_for=unique_for,
        on_conflict=on_conflict,
        max_wait=max_wait,
        limit_key=limit_key,
        cost=cost,
        store_result=store_result,
        labels=labels,
        notify=notify,
        max_args=max_args,
        job_id=job_id,
        on_success=on_success,
        on_failure=on_failure,
        on_end=on_end,
        dead_to=dead_to,
    )
    return send_one(conn, named(new, {}))


@overload
def enqueue_many(conn: SyncConnection, new_jobs: Iterable[NewJob]) -> list[UUID]: ...
@overload
def enqueue_many(conn: AsyncConnection, new_jobs: Iterable[NewJob]) -> Awaitable[list[UUID]]: ...
def enqueue_many(conn: AnyConnection, new_jobs: Iterable[NewJob]) -> list[UUID] | Awaitable[list[UUID]]:
    """Enqueue many jobs in a few round trips or by COPY, in the transaction open on `conn`; the ids come back in order.

    Where a unique key or `job_id` finds a job that is there already, its id is answered. Raises as enqueue() does,
    before anything is sent, but KeyTaken, which leaves nothing of the batch. O(batch log n).
    """
    if isinstance(new_jobs, NewJob):
        raise UsageError("new_jobs is a single NewJob; pass a list of them: enqueue_many(conn, [new])")
    names: Names = {}
    return send_many(conn, [named(new, names) for new in new_jobs])


@overload
def get_job(conn: SyncConnection, job_id: JobRef) -> Job: ...
@overload
def get_job(conn: AsyncConnection, job_id: JobRef) -> Awaitable[Job]: ...
def get_job(conn: AnyConnection, job_id: JobRef) -> Job | Awaitable[Job]:
    """One job in whatever state, as the transaction on `conn` sees it.

    Raises JobNotFound if it never committed, or its history has been pruned. O(log n).
    """
    wanted = id_of(job_id)
    return ask(conn, required(reading.get(wanted), wanted))


@overload
def attempts(conn: SyncConnection, job_id: JobRef) -> list[Attempt]: ...
@overload
def attempts(conn: AsyncConnection, job_id: JobRef) -> Awaitable[list[Attempt]]: ...
def attempts(conn: AnyConnection, job_id: JobRef) -> list[Attempt] | Awaitable[list[Attempt]]:
    """The ended attempts of a job, oldest first; empty if it has not been tried, or is not known. O(log n)."""
    return ask(conn, reading.attempts(id_of(job_id)))


@overload
def job_logs(
    conn: SyncConnection,
    job_id: JobRef,
    *,
    attempt: int | None = None,
    level: str | None = None,
    limit: int = 1000,
    after: LogLine | None = None,
) -> list[LogLine]: ...
@overload
def job_logs(
    conn: AsyncConnection,
    job_id: JobRef,
    *,
    attempt: int | None = None,
    level: str | None = None,
    limit: int = 1000,
    after: LogLine | None = None,
) -> Awaitable[list[LogLine]]: ...
def job_logs(
    conn: AnyConnection,
    job_id: JobRef,
    *,
    attempt: int | None = None,
    level: str | None = None,
    limit: int = 1000,
    after: LogLine | None = None,
) -> list[LogLine] | Awaitable[list[LogLine]]:
    """What a job said (`job.log`), oldest first: of all its attempts or of one, from a `level` on.

    At most `limit` lines behind `after`, the last one of those before; empty if it said nothing, or is not known. What
    an attempt says that runs is there about a second later. Raises OptionError. O(limit log n).
    """
    check_choice("level", level, tuple(LEVELS))
    check_integer("limit", limit, 1, 100_000)
    place = lines.FIRST if after is None else (after.claim, after.seq)
    return ask(conn, lines.said_by(id_of(job_id), attempt, level, limit, place))


@overload
def tree(conn: SyncConnection, job_id: JobRef, *, limit: int = 1000, after: JobRef | None = None) -> list[TreeNode]: ...
@overload
def tree(
    conn: AsyncConnection, job_id: JobRef, *, limit: int = 1000, after: JobRef | None = None
) -> Awaitable[list[TreeNode]]: ...
def tree(
    conn: AnyConnection, job_id: JobRef, *, limit: int = 1000, after: JobRef | None = None
) -> list[TreeNode] | Awaitable[list[TreeNode]]:
    """A job and the jobs that it brought, and those that these brought: generation by generation, `limit` at most.

    Of the job itself only the children behind the child `after`. Raises JobNotFound, OptionError. O(limit log n).
    """
    check_integer("limit", limit, 1, 10_000)
    wanted = id_of(job_id)
    found = lineage.tree(wanted, limit, None if after is None else id_of(after))
    return ask(conn, required(Statement(found.sql, found.params, lambda rows: found.read(rows) or None), wanted))


@overload
def cancel(conn: SyncConnection, job_id: JobRef) -> JobState: ...
@overload
def cancel(conn: AsyncConnection, job_id: JobRef) -> Awaitable[JobState]: ...
def cancel(conn: AnyConnection, job_id: JobRef) -> JobState | Awaitable[JobState]:
    """Cancel a job, in the transaction open on `conn`; answers the job's state after it.

    CANCELLED if it waited (or was cancelled before): it never starts. RUNNING if it runs: when you commit it is told,
    and a child process that does not listen is killed after 5 seconds; unless it succeeds all the same it ends
    cancelled, and it does not run again. Else the end it had already. Raises JobNotFound. O(log n).
    """
    wanted = id_of(job_id)
    return ask(conn, required(jobs.cancel(wanted), wanted))


@overload
def retry(conn: SyncConnection, job_id: JobRef) -> JobState: ...
@overload
def retry(conn: AsyncConnection, job_id: JobRef) -> Awaitable[JobState]: ...
def retry(conn: AnyConnection, job_id: JobRef) -> JobState | Awaitable[JobState]:
    """Revive a dead job with fresh attempts, or make a waiting one due now; answers the job's state after it.

    READY if it will run; DEAD still, if a live job has its unique key; else the state it was in, unchanged.
    Raises JobNotFound. O(log n).
    """
    wanted = id_of(job_id)
    return ask(conn, required(jobs.retry(wanted), wanted))
