"""One attempt: a task is called as a worker calls it, and what comes of it is judged."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypedDict, Unpack
from uuid import UUID

from pgqueue.codec import args_of, encode, load
from pgqueue.errors import UsageError
from pgqueue.ids import new_job_id
from pgqueue.job import DEFAULT_PRIORITY, DEFAULT_QUEUE, Args, Claim, NewJob, Target
from pgqueue.options import Duration, check_integer
from pgqueue.retry import seconds
from pgqueue.store.connection import AnyConnection, SyncConnection, driver, driver_async, is_async
from pgqueue.tasks import Modules, Task, find_task, import_modules, target_of
from pgqueue.tasks.addressing import named
from pgqueue.testing.attempting import LocalAttempts
from pgqueue.testing.ran import Ran, raise_failed, ran_of
from pgqueue.testing.runner import Runner
from pgqueue.testing.staging import outside_of_loops, runner_on
from pgqueue.worker.attempts.middleware import load_middleware

AnyTask = Task[..., Any]


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
    resumed_from: Any = None,
    middleware: Sequence[str] = (),
    raises: bool = True,
    **said: Unpack[JobSaid],
) -> Ran:
    """Call a task once, as a worker would; answers what came of it.

    Arguments go through JSON, `current_job()` is there, and what the task raises is judged: raises AttemptFailed for a
    failure, unless `raises=False`. `attempt` is the number of the attempt, `resumed_from` the checkpoint that it finds;
    with `cancelled` nobody wants the job any more. Without `conn` no job is written anywhere; with it there is one, and
    everything happens in the transaction open there: for transactional tasks, and for what asks the database through
    its job.
    """
    task = _task(target)
    new, attempt = _new(task, args, **said)
    if conn is None:
        made = lambda: _attempts(task, middleware, cancelled, _place(resumed_from))  # noqa: E731
        return _judged(outside_of_loops(lambda: _unwritten(task, new, attempt, made)), raises)
    raw = driver(conn)

    def run() -> Ran:
        with runner_on(raw, (), middleware, task=task, cancelled=cancelled, resumed=_place(resumed_from)) as runner:
            return runner.run(_claimed(runner, new, attempt), None)[0]

    return _judged(outside_of_loops(run), raises)


async def run_job_async(
    target: Target,
    args: Args = None,
    *,
    conn: AnyConnection | None = None,
    cancelled: bool = False,
    resumed_from: Any = None,
    middleware: Sequence[str] = (),
    raises: bool = True,
    **said: Unpack[JobSaid],
) -> Ran:
    """As run_job(), in the event loop that runs: for tasks that are coroutines, and use what belongs to that loop."""
    task = _task(target)
    new, attempt = _new(task, args, **said)
    if conn is None:
        with closing(_attempts(task, middleware, cancelled, _place(resumed_from))) as attempts:
            claim = _claim(task, new, attempt)
            return _judged(ran_of(*(await attempts.attempt_in_loop(claim, 1, None))[0]), raises)
    raw = await driver_async(conn) if is_async(conn) else driver(conn)
    with runner_on(raw, (), middleware, task=task, cancelled=cancelled, resumed=_place(resumed_from)) as runner:
        return _judged((await runner.run_in_loop(_claimed(runner, new, attempt), None))[0], raises)


def _unwritten(task: AnyTask, new: NewJob, attempt: int, made: Callable[[], LocalAttempts]) -> Ran:
    # Made in the thread that it is for.
    with closing(made()) as attempts:
        return ran_of(*attempts.attempt(_claim(task, new, attempt), 1, None)[0])


def _place(resumed_from: Any) -> tuple[Any] | None:
    """A checkpoint as a task finds it: what is asked of the database where a test says nothing."""
    return None if resumed_from is None else (load(encode(resumed_from, "resumed_from")),)


def _task(target: Target) -> AnyTask:
    """The task; its module is imported if only its name is given, since the test names it."""
    if isinstance(target, Task):
        return target
    name = target_of(target)
    named = Modules(include=(name.partition(":")[0],))
    import_modules(named)
    return find_task(name, named)


def _new(
    task: AnyTask,
    args: Args,
    *,
    attempt: int = 1,
    max_attempts: int | None = None,
    job_id: UUID | None = None,
    queue: str | None = None,
    labels: Mapping[str, str] | None = None,
    timeout: Duration | None = None,
) -> tuple[NewJob, int]:
    """The job, and the number of its attempt. Raises what enqueue() raises."""
    check_integer("attempt", attempt, 1, 32_767)
    new = NewJob(task, args, queue=queue, labels=labels, timeout=timeout, max_attempts=max_attempts, job_id=job_id)
    # Whatever else waits, this one is to run.
    said = replace(named(new, {}), unique_key=None, unique=None, run_at=None, delay=None, ttl=None)
    return replace(said, job_id=said.job_id or new_job_id()), attempt


def _claimed(runner: Runner, new: NewJob, attempt: int) -> Claim:
    claim = runner.claim_one(runner.enqueue(new, attempt - 1))
    if claim is None:
        raise UsageError(f"there is a job {new.job_id} already, and it does not wait")
    return claim


def _claim(task: AnyTask, new: NewJob, attempt: int) -> Claim:
    """The claim of a job that is written nowhere."""
    if task.transactional:
        raise UsageError(f"{task.target} is transactional, and needs a connection: run_job(task, args, conn=conn)")
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
        args_of(new),
        None if new.labels is None else json.dumps(dict(new.labels)),
        datetime.now(UTC),
        0,
    )


def _attempts(task: AnyTask, middleware: Sequence[str], cancelled: bool, resumed: tuple[Any] | None) -> LocalAttempts:
    made = LocalAttempts(None, None, Modules(), load_middleware(middleware), cancelled=cancelled, resumed=resumed)
    made.know(task)
    return made


def _judged(ran: Ran, raises: bool) -> Ran:
    if raises:
        raise_failed([ran], [ran])
    return ran
