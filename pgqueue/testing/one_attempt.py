"""One attempt at a job that exists nowhere: a task is called as a worker calls it, and what comes of it is judged."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import Any, TypedDict, Unpack
from uuid import UUID

from psycopg.pq.abc import PGconn

from pgqueue.codec import encode_args
from pgqueue.errors import UsageError
from pgqueue.ids import new_job_id
from pgqueue.job import DEFAULT_PRIORITY, DEFAULT_QUEUE, Args, Claim, NewJob, Target
from pgqueue.options import Duration
from pgqueue.retry import seconds
from pgqueue.store.connection import AnyConnection, SyncConnection, driver, driver_async, is_async
from pgqueue.tasks import Task, find_task, import_apps, target_of
from pgqueue.testing.attempting import LocalAttempts
from pgqueue.testing.draining import outside_of_loops
from pgqueue.testing.ran import Ran, raise_failed, ran_of
from pgqueue.worker.attempts.middleware import load_middleware

TaskOfAny = Task[..., Any]


class JobSaid(TypedDict, total=False):
    """What the job says of itself: as for enqueue(), and which attempt this is."""

    attempt: int
    max_attempts: int
    job_id: UUID
    queue: str
    labels: Mapping[str, str]
    timeout: Duration


def run_job(
    target: Target,
    args: Args = None,
    *,
    conn: SyncConnection | None = None,
    cancelled: bool = False,
    middleware: Sequence[str] = (),
    raises: bool = True,
    **said: Unpack[JobSaid],
) -> Ran:
    """Call a task once, as a worker would; answers what came of it. No job is written anywhere.

    Arguments go through JSON, `current_job()` is there, and what the task raises is judged: raises AttemptFailed for a
    failure, unless `raises=False`. A transactional task gets `conn`, in a savepoint. `attempt` is the number of the
    attempt; with `cancelled` nobody wants the job any more.
    """
    task = _task(target)
    claim = _claim(task, args, **said)
    server = None if conn is None else driver(conn).pgconn
    _require_server(task, server)

    def run() -> Ran:
        with closing(_attempts(task, server, middleware, cancelled)) as attempts:
            return ran_of(*attempts.attempt(claim, 1, None))

    return _judged(outside_of_loops(run), raises)


async def run_job_async(
    target: Target,
    args: Args = None,
    *,
    conn: AnyConnection | None = None,
    cancelled: bool = False,
    middleware: Sequence[str] = (),
    raises: bool = True,
    **said: Unpack[JobSaid],
) -> Ran:
    """As run_job(), in the event loop that runs: for tasks that are coroutines, and use what belongs to that loop."""
    task = _task(target)
    claim = _claim(task, args, **said)
    server = None
    if conn is not None:
        server = (await driver_async(conn) if is_async(conn) else driver(conn)).pgconn
    _require_server(task, server)
    with closing(_attempts(task, server, middleware, cancelled)) as attempts:
        return _judged(ran_of(*await attempts.attempt_in_loop(claim, 1, None)), raises)


def _task(target: Target) -> TaskOfAny:
    """The task; its module is imported if only its name is given, since the test names it."""
    if isinstance(target, Task):
        return target
    name = target_of(target)
    module = name.partition(":")[0]
    import_apps([module])
    return find_task(name, [module])


def _claim(
    task: TaskOfAny,
    args: Args,
    *,
    attempt: int = 1,
    max_attempts: int | None = None,
    job_id: UUID | None = None,
    queue: str | None = None,
    labels: Mapping[str, str] | None = None,
    timeout: Duration | None = None,
) -> Claim:
    """The claim of a job that is enqueued nowhere. Raises what enqueue() raises."""
    new = NewJob(task, args, queue=queue, labels=labels, timeout=timeout, max_attempts=max_attempts, job_id=job_id)
    new = new.over(task.options)
    return Claim(
        new.job_id or new_job_id(),
        attempt,
        attempt,
        0,
        new.max_attempts,
        None if new.timeout is None else seconds(new.timeout),
        new.store_result,
        DEFAULT_PRIORITY if new.priority is None else new.priority,
        new.queue or DEFAULT_QUEUE,
        task.target,
        encode_args(args),
        None if new.labels is None else json.dumps(dict(new.labels)),
        datetime.now(UTC),
        0,
    )


def _require_server(task: TaskOfAny, server: PGconn | None) -> None:
    if task.transactional and server is None:
        raise UsageError(f"{task.target} is transactional, and needs a connection: run_job(task, args, conn=conn)")


def _attempts(task: TaskOfAny, server: PGconn | None, middleware: Sequence[str], cancelled: bool) -> LocalAttempts:
    made = LocalAttempts(None, server, (), load_middleware(middleware), recorded=False, cancelled=cancelled)
    made.know(task)
    return made


def _judged(ran: Ran, raises: bool) -> Ran:
    if raises:
        raise_failed(ran, [ran])
    return ran
