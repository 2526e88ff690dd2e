"""What producers call: each function runs one statement on the caller's connection, in the caller's transaction.

With an async connection each returns an awaitable. None of them commits.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar, Unpack, overload
from uuid import UUID

from pgqueue.errors import JobNotFound, UsageError
from pgqueue.job import Args, Attempt, Enqueued, Job, JobState, NewJob
from pgqueue.options import Duration
from pgqueue.store import Statement, bulk, enqueueing, execute, jobs, reading
from pgqueue.store.connection import AnyConnection, AsyncConnection, SyncConnection
from pgqueue.tasks import CallOptions, Task, registered, target_of

T = TypeVar("T")
Target = str | Callable[..., Any] | Task[..., Any]


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
    limit_key: str | None = None,
    store_result: bool | None = None,
    labels: Mapping[str, str] | None = None,
    job_id: UUID | None = None,
) -> Enqueued | Awaitable[Enqueued]:
    """Enqueue one job in the transaction open on `conn`: it exists if and only if that transaction commits.

    `target` is `"module:function"`, a module-level function or a Task; the options of a task that this process has
    imported hold where none are given here. `args`: a list is positional, a mapping is by keyword. `delay`, `ttl` and
    `timeout` are seconds or timedeltas; `run_at` needs a time zone. `ttl` counts from when the job falls due.

    If a live job has the same `unique_key`, or any job has the same `job_id`, that one is answered and nothing is
    added (`created` is False). Two enqueuers of one key wait for each other; at REPEATABLE READ and above the second
    gets PostgreSQL's serialization failure, as with any unique key.

    Raises TargetError, ArgumentError, OptionError: then nothing was sent. O(log n).
    """
    new = NewJob(
        target_of(target),
        args,
        queue=queue,
        priority=priority,
        delay=delay,
        run_at=run_at,
        ttl=ttl,
        timeout=timeout,
        max_attempts=max_attempts,
        unique_key=unique_key,
        limit_key=limit_key,
        store_result=store_result,
        labels=labels,
        job_id=job_id,
    )
    return execute(conn, enqueueing.enqueue(_with_task_options(new, target)))


@overload
def enqueue_many(conn: SyncConnection, new_jobs: Iterable[NewJob]) -> list[UUID]: ...
@overload
def enqueue_many(conn: AsyncConnection, new_jobs: Iterable[NewJob]) -> Awaitable[list[UUID]]: ...
def enqueue_many(conn: AnyConnection, new_jobs: Iterable[NewJob]) -> list[UUID] | Awaitable[list[UUID]]:
    """Enqueue many jobs in one round trip or by COPY, in the transaction open on `conn`; the ids come back in order.

    Where a `unique_key` or `job_id` finds a job that is there already, its id is answered. Raises as enqueue() does,
    before anything is sent. O(batch log n).
    """
    batch = [_with_task_options(new, new.target) for new in new_jobs]
    return bulk.copy(conn, batch) if bulk.is_plain(conn, batch) else execute(conn, enqueueing.enqueue_many(batch))


@overload
def get_job(conn: SyncConnection, job_id: UUID) -> Job: ...
@overload
def get_job(conn: AsyncConnection, job_id: UUID) -> Awaitable[Job]: ...
def get_job(conn: AnyConnection, job_id: UUID) -> Job | Awaitable[Job]:
    """One job in whatever state, as the transaction on `conn` sees it.

    Raises JobNotFound if it never committed, or its history has been pruned. O(log n).
    """
    return execute(conn, _required(reading.get(_uuid(job_id)), job_id))


@overload
def attempts(conn: SyncConnection, job_id: UUID) -> list[Attempt]: ...
@overload
def attempts(conn: AsyncConnection, job_id: UUID) -> Awaitable[list[Attempt]]: ...
def attempts(conn: AnyConnection, job_id: UUID) -> list[Attempt] | Awaitable[list[Attempt]]:
    """The ended attempts of a job, oldest first; empty if it has not been tried, or is not known. O(log n)."""
    return execute(conn, reading.attempts(_uuid(job_id)))


@overload
def cancel(conn: SyncConnection, job_id: UUID) -> JobState: ...
@overload
def cancel(conn: AsyncConnection, job_id: UUID) -> Awaitable[JobState]: ...
def cancel(conn: AnyConnection, job_id: UUID) -> JobState | Awaitable[JobState]:
    """Cancel a job that waits, in the transaction open on `conn`; answers the job's state after it.

    CANCELLED if it waited (or was cancelled before); RUNNING if it runs, undisturbed; else the end it had already.
    Raises JobNotFound. O(log n).
    """
    return execute(conn, _required(jobs.cancel(_uuid(job_id)), job_id))


@overload
def retry(conn: SyncConnection, job_id: UUID) -> JobState: ...
@overload
def retry(conn: AsyncConnection, job_id: UUID) -> Awaitable[JobState]: ...
def retry(conn: AnyConnection, job_id: UUID) -> JobState | Awaitable[JobState]:
    """Revive a dead job with fresh attempts, or make a waiting one due now; answers the job's state after it.

    READY if it will run; DEAD still, if a live job has its unique key; else the state it was in, unchanged.
    Raises JobNotFound. O(log n).
    """
    return execute(conn, _required(jobs.retry(_uuid(job_id)), job_id))


def _with_task_options(new: NewJob, target: Target) -> NewJob:
    task = target if isinstance(target, Task) else registered(new.target)
    return new if task is None else new.over(task.options)


def _required(statement: Statement[T | None], job_id: UUID) -> Statement[T]:
    def read(rows: Any) -> T:
        found = statement.read(rows)
        if found is None:
            raise JobNotFound(job_id)
        return found

    return Statement(statement.sql, statement.params, read)


def _uuid(job_id: UUID | str) -> UUID:
    if isinstance(job_id, UUID):
        return job_id
    try:
        return UUID(job_id)
    except (ValueError, TypeError, AttributeError):
        raise UsageError(f"job_id must be a uuid.UUID, got {job_id!r:.80}") from None
