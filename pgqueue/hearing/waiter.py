"""Somebody who waits: which jobs for, and how to wake them, in a thread or in a task of an event loop."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress


class Waiter:
    """Is woken when enough of its jobs were heard of: any, or all of them if it wants `every` one.

    All but wait() is called under the lock of the ears. Ids are texts. `loop` is that of a task, None for a thread.
    """

    def __init__(self, pending: Collection[str], *, every: bool, loop: asyncio.AbstractEventLoop | None) -> None:
        self.pending = set(pending)
        self.loop = loop
        self._every = every
        self._heard: set[str] = set()
        self._all = False
        self._event = threading.Event() if loop is None else asyncio.Event()

    def hear(self, job_id: str) -> bool:
        """Something of one of its jobs has ended; whether it is to be woken."""
        if job_id in self.pending:
            self._heard.add(job_id)
        return len(self._heard) >= (len(self.pending) if self._every else 1)

    def doubt(self) -> None:
        """Nobody knows what it has missed: it is to be woken, and to look at all of its jobs."""
        self._all = True

    def take(self) -> set[str]:
        """What it has to look at."""
        heard = set(self.pending) if self._all else self._heard
        self._heard, self._all = set(), False
        self._event.clear()
        return heard

    async def wait(self, seconds: float) -> None:
        """Until it is woken, at most so long; a thread does not come back before."""
        if isinstance(self._event, threading.Event):
            self._event.wait(seconds)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._event.wait()

    @property
    def rings(self) -> Callable[[], object]:
        """What wakes it: to be called in its loop, or anywhere if it is a thread's."""
        return self._event.set


def ring(waiters: Iterable[Waiter]) -> None:
    """Wake them, from any thread: those of one event loop at once."""
    of_loops: dict[asyncio.AbstractEventLoop, list[Callable[[], object]]] = defaultdict(list)
    for waiter in waiters:
        if waiter.loop is None:
            waiter.rings()
        else:
            of_loops[waiter.loop].append(waiter.rings)
    for loop, rings in of_loops.items():
        # Of one that is closed nobody waits any more.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_call_each, rings)


def _call_each(calls: Iterable[Callable[[], object]]) -> None:
    for call in calls:
        call()
