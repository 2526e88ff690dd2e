"""Where a runner works: at a DSN, or on somebody's connection; and out of the way of event loops."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import copy_context
from typing import Any, TypeVar

import psycopg

from pgqueue.context import be_at_home_here, bound
from pgqueue.database import address_of
from pgqueue.errors import UsageError
from pgqueue.store.borrowed import over
from pgqueue.store.connection import AsyncDriver, Driver, SyncConnection, driver, of_psycopg, open_connection
from pgqueue.tasks import Modules, Task, import_modules
from pgqueue.testing.attempting import LocalAttempts
from pgqueue.testing.runner import Runner
from pgqueue.worker.attempts.middleware import load_middleware
from pgqueue.worker.loop import Connection
from pgqueue.worker.upkeep.line_keeper import LineKeeper
from pgqueue.worker.upkeep.progress_keeper import ProgressKeeper

T = TypeVar("T")


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
    given: Driver | AsyncDriver,
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
    raw = of_psycopg(given, "a job that runs in a test")
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
    modules = Modules(tuple(app))
    import_modules(modules)
    worker = secrets.randbits(63)
    lines = LineKeeper(lambda event: None, lambda: None)
    progress = ProgressKeeper(worker, lambda event: None, lambda: None)
    server = None if lent is None else lent.pgconn
    attempts = LocalAttempts(
        dsn,
        server,
        modules,
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
