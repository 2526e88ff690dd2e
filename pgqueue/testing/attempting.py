"""Attempts in the test's own thread or event loop, by the worker's own code; and what a test wants to know of them.

A task in Python hears of its timeout as in a worker's thread; one that hangs in C cannot be ended.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from math import inf, isinf
from time import monotonic
from typing import Any
from uuid import UUID

from psycopg.pq.abc import PGconn

from pgqueue.context import JobContext, Middleware, extended_until, resume_from, tell_cancelled
from pgqueue.events import Finished
from pgqueue.job import Claim
from pgqueue.job_log import Outlet, Said
from pgqueue.job_progress import Gauge
from pgqueue.outcome import Outcome, Succeeded
from pgqueue.store.borrowed import Borrowed, BorrowedWire
from pgqueue.store.line import Line
from pgqueue.tasks import Modules, Task
from pgqueue.worker.attempts.async_attempts import AsyncAttempts
from pgqueue.worker.attempts.attempt import Attempts
from pgqueue.worker.attempts.batch_call import BatchCall, prepare_batch
from pgqueue.worker.attempts.call import Call, prepare
from pgqueue.worker.attempts.finishing import finish
from pgqueue.worker.attempts.notices import Notice, ThreadGuard
from pgqueue.worker.attempts.task_spec import time_limits, times_of


@dataclass(frozen=True, slots=True)
class Seen:
    """What a worker need not know of an attempt: its context, what its task returned or raised, and what it said."""

    context: JobContext | None = None
    value: Any = None
    error: BaseException | None = None
    log: Sequence[str] = ()


class LocalAttempts(Attempts):
    """Runs attempts in this thread, or in its event loop where that runs coroutines: one at a time.

    `server` is the session that they are lent, in the transaction open there; None has them open their own to `dsn`,
    or refuses them. `put` and `show` take what they say; `cancelled` is whether nobody wants their jobs any more, and
    `resumed` where they go on, if that is not asked of the database.
    """

    def __init__(
        self,
        dsn: str | None,
        server: PGconn | None,
        modules: Modules,
        middleware: Sequence[Middleware] = (),
        put: Callable[[Said], object] | None = None,
        show: Callable[[Gauge], object] | None = None,
        *,
        cancelled: bool = False,
        resumed: tuple[Any] | None = None,
    ) -> None:
        self._put = put
        outlet = Outlet(self._heard, show=show or (lambda gauge: None))
        super().__init__(dsn or "", modules, middleware, ThreadGuard(), outlet)
        self._in_loop = AsyncAttempts(dsn or "", middleware, outlet)
        if dsn is None:
            self._line = Line(BorrowedWire(server, is_async=False))
            for each in (self._async, self._in_loop):
                each._wire = BorrowedWire(server, is_async=True)
        if server is not None:
            self._lender = Borrowed(server, is_async=False)
            for each in (self._async, self._in_loop):
                each._lenders.append(Borrowed(server, is_async=True))
        self._cancelled = cancelled
        # Where there is none to ask, none has been here before.
        self._resumed = (None,) if resumed is None and dsn is None and server is None else resumed
        self._last: Call | None = None
        self._value: Any = None
        self._said: dict[UUID, list[str]] = {}

    def know(self, task: Task[Any, Any]) -> None:
        """Call this task for its target, whatever is registered."""
        self._tasks[task.target] = task

    def attempt(self, claim: Claim, number: int, limit: float | None) -> list[tuple[Finished, Seen]]:
        """One attempt, or one of each job of a batch, here and now.

        It is told that its time is up after `limit` seconds at the latest.
        """
        self._forget()
        own = self._seconds(claim)
        with _told(lambda: self.tell(number, Notice.TIMEOUT), own, limit, lambda: self.extended_until(number)):
            return self._seen(self.run_all(claim, number))

    async def attempt_in_loop(self, claim: Claim, number: int, limit: float | None) -> list[tuple[Finished, Seen]]:
        """The same, a coroutine in the event loop that runs."""
        task = self.find(claim)
        if task is None or not task.is_async:
            return self.attempt(claim, number, limit)
        self._forget()
        began = monotonic()
        if task.batching is not None:
            batch, alone = prepare_batch(claim, self._tasks, self._modules, began)
            if batch is None:
                return self._seen(alone)
            watches, outcome = self._in_loop.begin_batch(batch), await self._run_in_loop(batch, claim, limit)
            return self._seen([*alone, *self._in_loop.end_batch(batch, outcome, began, watches)])
        call = prepare(claim, self._tasks, self._modules, began)
        if not isinstance(call, Call):
            return self._seen([finish(claim, call, None, began)])
        watch = self._in_loop.begin(call)
        outcome = await self._run_in_loop(call, claim, limit)
        return self._seen([self._in_loop.end(call, outcome, began, watch)])

    def close(self) -> None:
        """Close what was opened."""
        super().close()
        self._in_loop.close()

    def _run(self, call: Call) -> Outcome:
        self._watch(call)
        if self._cancelled and not call.task.is_async:
            call.told = Notice.CANCELLED
        return super()._run(call)

    async def _run_in_loop(self, call: Call, claim: Claim, limit: float | None) -> Outcome:
        self._watch(call)
        with _told(
            lambda: call.tell(Notice.TIMEOUT), self._seconds(claim), limit, lambda: extended_until(call.context)
        ):
            return await asyncio.create_task(self._in_loop.run(call), context=copy_context())

    def _watch(self, call: Call) -> None:
        """Look at what this call returns."""
        self._last = call
        returned = call.returned

        def noted(value: object) -> Succeeded:
            self._value = value
            return returned(value)

        call.returned = noted  # type: ignore[method-assign]  # of this one call
        for context in _contexts(call):
            if self._resumed is not None:
                resume_from(context, self._resumed[0])
            if self._cancelled:
                tell_cancelled(context)

    def _forget(self) -> None:
        self._last, self._value, self._said = None, None, {}

    def _seen(self, finished: Sequence[Finished]) -> list[tuple[Finished, Seen]]:
        return [(each, self._seen_of(each.claim)) for each in finished]

    def _seen_of(self, claim: Claim) -> Seen:
        call, log = self._last, self._said.get(claim.id, ())
        if call is None:
            return Seen(log=log)
        if not isinstance(call, BatchCall):
            return Seen(call.context, self._value, call.error, log)
        for item, error in zip(call.batch, call.errors, strict=True):
            if item.id == claim.id:
                value = self._value.get(item.id) if isinstance(self._value, Mapping) else None
                return Seen(item, None if error is value else value, error or call.error, log)
        # It never came so far as to be called.
        return Seen(log=log)

    def _heard(self, said: Said) -> None:
        self._said.setdefault(said.job_id, []).append(said.line)
        if self._put is not None:
            self._put(said)

    def _seconds(self, claim: Claim) -> float:
        task = self.find(claim)
        return time_limits(claim, None if task is None else times_of(task)).notice


def _contexts(call: Call) -> Sequence[JobContext]:
    return list(call.batch) if isinstance(call, BatchCall) else [call.context]


@contextmanager
def _told(
    tell: Callable[[], None], seconds: float, limit: float | None, extended: Callable[[], float | None]
) -> Iterator[None]:
    """Tell whoever runs in this block that its time is up: after `seconds`, or as it has asked, or after `limit`."""
    began = monotonic()
    last = inf if limit is None else began + limit
    ended = threading.Event()

    def watch() -> None:
        while (left := min(max(began + seconds, extended() or 0.0), last) - monotonic()) > 0:
            if ended.wait(min(left, threading.TIMEOUT_MAX)):
                return
        tell()

    if isinf(min(seconds, last)):
        yield
        return
    watcher = threading.Thread(target=watch, name="pgqueue-test-watch", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
