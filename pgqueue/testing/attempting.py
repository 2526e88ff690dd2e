"""Attempts in the test's own thread or event loop, by the worker's own code; and what a test wants to know of them.

A task in Python hears of its timeout as in a worker's thread; one that hangs in C cannot be ended.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass, field
from math import inf, isinf
from time import monotonic
from typing import Any

from psycopg.pq.abc import PGconn

from pgqueue.context import Middleware, extended_until, tell_cancelled
from pgqueue.events import Finished
from pgqueue.job import Claim
from pgqueue.job_log import Outlet, Said
from pgqueue.job_progress import Gauge
from pgqueue.outcome import Outcome, Succeeded
from pgqueue.store.borrowed import Borrowed, BorrowedWire
from pgqueue.store.line import Line
from pgqueue.tasks import Task
from pgqueue.worker.attempts.async_attempts import AsyncAttempts
from pgqueue.worker.attempts.attempt import Attempts
from pgqueue.worker.attempts.call import Call, finish, prepare
from pgqueue.worker.attempts.notices import Notice, ThreadGuard
from pgqueue.worker.attempts.task_spec import spec_of, time_limits


@dataclass(slots=True)
class Seen:
    """What a worker need not know of an attempt: the call, what its task returned, and its outcome before judgement."""

    call: Call | None = None
    value: Any = None
    outcome: Outcome | None = None
    log: list[str] = field(default_factory=list)

    def watch(self, call: Call) -> None:
        """Look at what this call returns."""
        self.call = call
        returned = call.returned

        def noted(value: object) -> Succeeded:
            self.value = value
            return returned(value)

        call.returned = noted  # type: ignore[method-assign]  # of this one call

    @property
    def error(self) -> BaseException | None:
        """What the task raised."""
        return None if self.call is None else self.call.error


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
        apps: Sequence[str],
        middleware: Sequence[Middleware] = (),
        put: Callable[[Said], object] | None = None,
        show: Callable[[Gauge], object] | None = None,
        *,
        cancelled: bool = False,
        resumed: tuple[Any] | None = None,
    ) -> None:
        self._put = put
        outlet = Outlet(self._heard, show=show or (lambda gauge: None))
        super().__init__(dsn or "", apps, middleware, ThreadGuard(), outlet)
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
        self._seen = Seen()

    def know(self, task: Task[Any, Any]) -> None:
        """Call this task for its target, whatever is registered."""
        self._tasks[task.target] = task

    def attempt(self, claim: Claim, number: int, limit: float | None) -> tuple[Finished, Seen]:
        """One attempt, here and now; it is told that its time is up after `limit` seconds at the latest."""
        seen = self._seen = Seen()
        own = self._seconds(claim)
        with _told(lambda: self.tell(number, Notice.TIMEOUT), own, limit, lambda: self.extended_until(number)):
            return self.run(claim, number), seen

    async def attempt_in_loop(self, claim: Claim, number: int, limit: float | None) -> tuple[Finished, Seen]:
        """The same, a coroutine in the event loop that runs."""
        began = monotonic()
        call = prepare(claim, self._tasks, self._apps, began)
        if not isinstance(call, Call):
            return finish(claim, call, None, began), Seen()
        if not call.task.is_async:
            return self.attempt(claim, number, limit)
        seen = self._seen = Seen()
        self._watch(call)
        watch = self._in_loop.begin(call)
        own = self._seconds(claim)
        with _told(lambda: call.tell(Notice.TIMEOUT), own, limit, lambda: extended_until(call.context)):
            seen.outcome = await asyncio.create_task(self._in_loop.run(call), context=copy_context())
        return self._in_loop.end(call, seen.outcome, began, watch), seen

    def close(self) -> None:
        """Close what was opened."""
        super().close()
        self._in_loop.close()

    def _run(self, call: Call) -> Outcome:
        self._watch(call)
        if self._cancelled and not call.task.is_async:
            call.told = Notice.CANCELLED
        outcome = self._seen.outcome = super()._run(call)
        return outcome

    def _watch(self, call: Call) -> None:
        self._seen.watch(call)
        if self._resumed is not None:
            call.context._resumed = self._resumed
        if self._cancelled:
            tell_cancelled(call.context)

    def _heard(self, said: Said) -> None:
        self._seen.log.append(said.line)
        if self._put is not None:
            self._put(said)

    def _seconds(self, claim: Claim) -> float:
        task = self.find(claim)
        return time_limits(claim, None if task is None else spec_of(task)).notice


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
