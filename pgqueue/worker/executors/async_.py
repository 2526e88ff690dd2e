"""Runs claims as coroutines in one event loop, which has a thread of its own: a task that blocks the loop stops its
neighbours, never the heartbeat. Tasks that are no coroutines run in a few threads beside it.
"""

from __future__ import annotations

import asyncio
import dataclasses
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from time import monotonic
from typing import Any

from pgqueue.events import Finished, Observer, Trouble
from pgqueue.job import Claim
from pgqueue.tasks import Task, import_apps
from pgqueue.worker.attempt import AsyncAttempts
from pgqueue.worker.call import Call, finish, prepare
from pgqueue.worker.executors.base import Leftover, Report, Settings, take_old
from pgqueue.worker.executors.thread import ThreadExecutor
from pgqueue.worker.middleware import load_middleware

# Threads for tasks that are no coroutines; under this executor they are the exception.
_MOST_THREADS = 8
# How long a cancelled coroutine may take to end, seconds.
_PATIENCE = 1.0


class AsyncExecutor:
    """One event loop, in which at most `concurrency` attempts are under way."""

    _loop: asyncio.AbstractEventLoop
    _thread: threading.Thread
    _attempts: AsyncAttempts

    def __init__(self, settings: Settings, report: Report, observe: Observer) -> None:
        self.concurrency = settings.concurrency
        self._settings = settings
        self._report = report
        self._observe = observe
        in_threads = dataclasses.replace(settings, concurrency=min(_MOST_THREADS, settings.concurrency))
        self._threads = ThreadExecutor(in_threads, self._thread_ended, observe)
        self._waiting: deque[tuple[Claim, float]] = deque()
        self._taken = self._returned = 0
        self._started = self._stopping = self._closing = self._abandoned = False
        self._idle = threading.Event()
        # Written by the loop's thread alone, by the claim's token.
        self._running: dict[tuple[Any, ...], tuple[Claim, asyncio.Task[None]]] = {}
        self._tasks: dict[str, Task[..., Any]] = {}
        self._ended: list[Finished] = []
        self._reported = 0

    def start(self) -> None:
        """Start the loop. Raises AppError if the tasks' modules cannot be imported."""
        if self._started:
            return
        import_apps(self._settings.apps)
        self._attempts = AsyncAttempts(self._settings.dsn, load_middleware(self._settings.middleware))
        self._threads.start()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._turn, name="pgqueue-loop", daemon=True)
        self._thread.start()
        self._started = True

    def submit(self, claims: Sequence[Claim]) -> None:
        """Take over claims."""
        now = monotonic()
        self._taken += len(claims)
        self._waiting.extend([(claim, now) for claim in claims])
        self._loop.call_soon_threadsafe(self._fill)

    def load(self) -> int:
        """Claims taken over and not yet reported or given back."""
        return self._taken - self._returned - self._reported

    def give_back(self, waited: float) -> list[Claim]:
        """Hand back the claims that have waited longer than `waited` seconds for their turn."""
        old = take_old(self._waiting, waited)
        self._returned += len(old)
        return old

    def stop(self, timeout: float) -> list[Leftover]:
        """Wait for what runs, cancel what still runs after `timeout` seconds, and end the loop."""
        if not self._started or self._closing:
            return []
        left = [Leftover(claim, started=False) for claim in self.give_back(0.0)]
        self._stopping = True
        self._loop.call_soon_threadsafe(self._say_if_idle)
        if not self._idle.wait(timeout):
            self._abandoned = True
            self._cancel()
            left += [Leftover(claim, started=True) for claim, _ in tuple(self._running.values())]
        self._threads.stop(0.0)
        self._close()
        return left

    def kill(self) -> None:
        """Cancel everything, and report nothing more: a coroutine that does not yield cannot be ended."""
        self._abandoned = True
        self._threads.kill()
        if self._started and not self._closing:
            self._cancel()
            self._close()

    def _cancel(self) -> None:
        with suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(self._cancel_all(), self._loop).result(_PATIENCE)

    async def _cancel_all(self) -> None:
        tasks = [task for _, task in self._running.values()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _close(self) -> None:
        self._closing = True
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE)

    def _turn(self) -> None:
        asyncio.set_event_loop(self._loop)
        while not self._closing:
            try:
                self._loop.run_forever()
            except BaseException as error:
                # asyncio lets SystemExit and KeyboardInterrupt of any coroutine through; the loop must go on.
                self._observe(Trouble("async executor", repr(error), "a coroutine that a task had started raised it"))
        self._attempts.close()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    def _fill(self) -> None:
        with suppress(IndexError):
            while self._waiting and len(self._running) < self.concurrency and not self._stopping:
                claim, _ = self._waiting.popleft()
                self._running[claim[:2]] = claim, self._loop.create_task(self._attempt(claim))

    async def _attempt(self, claim: Claim) -> None:
        began = monotonic()
        call = prepare(claim, self._tasks, self._settings.apps)
        if not isinstance(call, Call):
            self._end(finish(claim, call, None, monotonic() - began))
        elif call.task.is_async:
            outcome = await self._attempts.run(call)
            self._end(finish(claim, outcome, call.task, monotonic() - began))
        else:
            self._threads.submit((claim,))

    def _thread_ended(self, batch: Sequence[Finished]) -> None:
        if not self._closing:
            for finished in batch:
                self._loop.call_soon_threadsafe(self._end, finished)

    def _end(self, finished: Finished) -> None:
        if self._abandoned:
            return
        if not self._ended:
            self._loop.call_soon(self._flush)
        self._ended.append(finished)
        del self._running[finished.claim[:2]]
        if self._waiting:
            self._fill()

    def _flush(self) -> None:
        """Report what ended in this turn of the loop."""
        ended, self._ended = self._ended, []
        self._report(ended)
        self._reported += len(ended)
        self._say_if_idle()

    def _say_if_idle(self) -> None:
        if self._stopping and not self._running and not self._ended:
            self._idle.set()
