"""Runs what is queued until nothing is due: by the worker's own statements, one job after the other, in this thread."""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import copy_context
from typing import Any, TypeVar, overload

import psycopg

from pgqueue.context import be_at_home_here, bound
from pgqueue.database import address_of
from pgqueue.errors import UsageError
from pgqueue.options import check_duration, check_integer
from pgqueue.retry import seconds
from pgqueue.store.borrowed import over
from pgqueue.store.connection import (
    AnyConnection,
    AsyncConnection,
    SyncConnection,
    driver,
    driver_async,
    is_async,
    open_connection,
)
from pgqueue.store.sync_or_async import at_once
from pgqueue.tasks import Task, import_apps
from pgqueue.testing.attempting import LocalAttempts
from pgqueue.testing.failures import NotQuiet
from pgqueue.testing.ran import Ran, raise_failed
from pgqueue.testing.runner import Runner
from pgqueue.worker.attempts.middleware import load_middleware
from pgqueue.worker.loop import Connection
from pgqueue.worker.upkeep.line_keeper import LineKeeper
from pgqueue.worker.upkeep.progress_keeper import ProgressKeeper

T = TypeVar("T")
MOST_JOBS, LONGEST = 1_000, 60.0
# Seconds that a job may wait and still be a part of what is due.
SOON = 0.01


@overload
def drain(
    where: str | SyncConnection,
    *,
    raises: bool = True,
    max_jobs: int = MOST_JOBS,
    timeout: float = LONGEST,
    app: Sequence[str] = (),
    middleware: Sequence[str] = (),
) -> list[Ran]: ...
@overload
def drain(
    where: AsyncConnection,
    *,
    raises: bool = True,
    max_jobs: int = MOST_JOBS,
    timeout: float = LONGEST,
    app: Sequence[str] = (),
    middleware: Sequence[str] = (),
) -> Awaitable[list[Ran]]: ...
def drain(
    where: str | AnyConnection,
    *,
    raises: bool = True,
    max_jobs: int = MOST_JOBS,
    timeout: float = LONGEST,
    app: Sequence[str] = (),
    middleware: Sequence[str] = (),
) -> list[Ran] | Awaitable[list[Ran]]:
    """Run jobs that are due, what they enqueue, and schedules, until nothing is due; answers the attempts in order.

    On a connection everything happens there, in the transaction that is open: jobs that were never committed run, a
    transactional task gets that transaction (in a savepoint), and a rollback undoes all of it. With a DSN it is as in a
    worker. With an async connection the answer is awaitable.

    Raises AttemptFailed after the first attempt that failed, unless `raises=False`; NotQuiet when there is more to do
    after `max_jobs` attempts or `timeout` seconds. `app` and `middleware` are those of a worker.
    """
    check_integer("max_jobs", max_jobs, 1, 1_000_000)
    check_duration("timeout", timeout, zero=False, infinite=False)
    bounds = _Bounds(raises, max_jobs, seconds(timeout))
    if not isinstance(where, str) and is_async(where):
        return _drain_async(where, bounds, app, middleware)
    return outside_of_loops(lambda: _drain(where, bounds, app, middleware))


def _drain(where: Any, bounds: _Bounds, app: Sequence[str], middleware: Sequence[str]) -> list[Ran]:
    with runner_at(where, app, middleware) as runner:
        return at_once(_to_quiet(runner, bounds, in_loop=False))


async def _drain_async(
    where: AsyncConnection, bounds: _Bounds, app: Sequence[str], middleware: Sequence[str]
) -> list[Ran]:
    raw = await driver_async(where)
    with runner_on(raw, app, middleware) as runner:
        return await _to_quiet(runner, bounds, in_loop=True)


class _Bounds:
    """How much may run, until when, and what ends it."""

    def __init__(self, raises: bool, max_jobs: int, timeout: float) -> None:
        self.raises = raises
        self.max_jobs = max_jobs
        self.timeout = timeout
        self.deadline = time.monotonic() + timeout

    @property
    def left(self) -> float:
        return max(0.0, self.deadline - time.monotonic())


async def _to_quiet(runner: Runner, bounds: _Bounds, *, in_loop: bool) -> list[Ran]:
    ran: list[Ran] = []
    while True:
        runner.fire()
        before = len(ran)
        claim = runner.claim()
        if claim is None and (pause := _due_soon(ran)):
            # An iterable task that was stopped goes on behind what is due by now.
            time.sleep(pause)
            claim = runner.claim()
        if claim is None:
            return ran
        if isinstance(claim, Ran):
            ran.append(claim)
        elif len(ran) >= bounds.max_jobs or not bounds.left:
            runner.give_back(claim)
            raise NotQuiet(_unquiet(claim.target, bounds, ran), ran)
        elif in_loop:
            ran += await runner.run_in_loop(claim, bounds.left)
        else:
            ran += runner.run(claim, bounds.left)
        if bounds.raises:
            raise_failed(ran[before:], ran)


def _due_soon(ran: Sequence[Ran]) -> float:
    """In how many seconds the job that ran last is due again, if that is no matter of waiting."""
    again = ran[-1].retry_in if ran else None
    return 0.0 if again is None or again > SOON else again + 0.001


def _unquiet(next_one: str, bounds: _Bounds, ran: Sequence[Ran]) -> str:
    last = ", ".join(each.target for each in ran[-3:])
    limit = f"max_jobs={bounds.max_jobs:,}" if len(ran) >= bounds.max_jobs else f"timeout={bounds.timeout:g}"
    return (
        f"after {len(ran):,} attempts ({limit}) {next_one} is still due; the last ones were {last or 'none'}."
        " If that is meant, allow more; if jobs enqueue each other without end, this is it"
    )


@contextmanager
def runner_at(where: str | SyncConnection, app: Sequence[str], middleware: Sequence[str]) -> Iterator[Runner]:
    """A runner at a DSN, or on somebody's sync connection."""
    if not isinstance(where, str):
        with runner_on(driver(where), app, middleware) as runner:
            yield runner
        return
    dsn = address_of(where)
    be_at_home_here(dsn)
    with open_connection(dsn, "test") as conn, _running(conn, dsn, None, app, middleware) as runner:
        yield runner


@contextmanager
def runner_on(
    raw: psycopg.Connection[Any] | psycopg.AsyncConnection[Any],
    app: Sequence[str],
    middleware: Sequence[str],
    *,
    task: Task[..., Any] | None = None,
    cancelled: bool = False,
    resumed: tuple[Any] | None = None,
) -> Iterator[Runner]:
    """A runner in the transaction that is open on a connection of psycopg's, of either kind.

    `task` is called for its target, whatever is registered; with `cancelled` nobody wants its jobs; `resumed` is where
    they go on.
    """
    with ExitStack() as stack:
        if isinstance(raw, psycopg.Connection):
            conn = raw
        else:
            if raw.lock.locked():
                raise UsageError("another coroutine uses this connection just now; give drain() one of its own")
            conn = stack.enter_context(over(raw.pgconn))
            if raw.autocommit and not raw.info.transaction_status:
                conn.autocommit = True
        stack.enter_context(bound(conn))
        yield stack.enter_context(_running(conn, None, raw, app, middleware, task, cancelled, resumed))


@contextmanager
def _running(
    conn: Connection,
    dsn: str | None,
    lent: Any,
    app: Sequence[str],
    middleware: Sequence[str],
    task: Task[..., Any] | None = None,
    cancelled: bool = False,
    resumed: tuple[Any] | None = None,
) -> Iterator[Runner]:
    import_apps(app)
    worker = secrets.randbits(63)
    lines = LineKeeper(lambda event: None, lambda: None)
    progress = ProgressKeeper(worker, lambda event: None, lambda: None)
    server = None if lent is None else lent.pgconn
    attempts = LocalAttempts(
        dsn,
        server,
        app,
        load_middleware(middleware),
        lines.put,
        progress.show,
        cancelled=cancelled,
        resumed=resumed,
    )
    if task is not None:
        attempts.know(task)
    runner = Runner(conn, worker, attempts, lines, progress)
    runner.begin()
    try:
        yield runner
    finally:
        runner.end()
        attempts.close()


def outside_of_loops(work: Callable[[], T]) -> T:
    """Do it in this thread; in another where this one runs an event loop, since async tasks need one of their own."""
    context = copy_context()
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return context.run(work)
    answer: list[T] = []
    trouble: list[BaseException] = []

    def done() -> None:
        try:
            answer.append(context.run(work))
        except BaseException as error:
            trouble.append(error)

    thread = threading.Thread(target=done, name="pgqueue-test", daemon=True)
    thread.start()
    thread.join()
    if trouble:
        raise trouble[0]
    return answer[0]
