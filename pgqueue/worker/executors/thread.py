"""Runs claims in threads of the worker process. A thread cannot be ended: what runs too long is left behind."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from time import monotonic

from pgqueue.context import Middleware
from pgqueue.events import Observer
from pgqueue.job import Claim
from pgqueue.tasks import import_apps
from pgqueue.worker.attempt import Attempts
from pgqueue.worker.executors.base import Leftover, Report, Settings
from pgqueue.worker.middleware import load_middleware


@dataclass(slots=True)
class _Slot:
    """One thread. It alone writes `running` and `ended`; `abandoned` is set when nobody waits for it any more."""

    # Held while what it ran is handed on: a claim is either reported or left over.
    handing_on: threading.Lock = field(default_factory=threading.Lock)
    running: Claim | None = None
    ended: int = 0
    abandoned: bool = False
    thread: threading.Thread = field(init=False)


class ThreadExecutor:
    """One thread a slot, all taking claims from one queue."""

    def __init__(self, settings: Settings, report: Report, observe: Observer) -> None:
        self.concurrency = settings.concurrency
        self._settings = settings
        self._report = report
        # Each entry with the monotonic() at which it came; None ends one thread.
        self._inbox: SimpleQueue[tuple[Claim, float] | None] = SimpleQueue()
        # Held while somebody has emptied the inbox to look at it: give_back(), or stop().
        self._looking = threading.Lock()
        self._slots: list[_Slot] = []
        self._taken = 0
        self._returned = 0

    def start(self) -> None:
        """Start the threads. Raises AppError if the tasks' modules cannot be imported."""
        if self._slots:
            return
        import_apps(self._settings.apps)
        middleware = load_middleware(self._settings.middleware)
        for number in range(self.concurrency):
            slot = _Slot()
            slot.thread = threading.Thread(
                target=self._work, args=(slot, middleware), name=f"pgqueue-slot-{number}", daemon=True
            )
            self._slots.append(slot)
            slot.thread.start()

    def submit(self, claims: Sequence[Claim]) -> None:
        """Take over claims."""
        now = monotonic()
        self._taken += len(claims)
        for claim in claims:
            self._inbox.put((claim, now))

    def load(self) -> int:
        """Claims taken over and not yet reported or given back."""
        return self._taken - self._returned - sum(slot.ended for slot in self._slots)

    def give_back(self, waited: float) -> list[Claim]:
        """Hand back the claims that have waited longer than `waited` seconds for a thread."""
        latest = monotonic() - waited
        with self._looking:
            waiting = self._waiting()
            for entry in waiting:
                if entry[1] > latest:
                    self._inbox.put(entry)
        old = [claim for claim, since in waiting if since <= latest]
        self._returned += len(old)
        return old

    def stop(self, timeout: float) -> list[Leftover]:
        """Wait for what runs, and leave behind what is still running after `timeout` seconds."""
        deadline = monotonic() + timeout
        with self._looking:
            left = [Leftover(claim, started=False) for claim, _ in self._waiting()]
            for _ in self._slots:
                self._inbox.put(None)
        for slot in self._slots:
            slot.thread.join(max(0.0, deadline - monotonic()))
        for slot in self._slots:
            with slot.handing_on:
                if slot.running is not None and not slot.abandoned:
                    slot.abandoned = True
                    left.append(Leftover(slot.running, started=True))
        self._returned += len(left)
        return left

    def kill(self) -> None:
        """Start nothing more, and report nothing more: threads cannot be ended."""
        for slot in self._slots:
            slot.abandoned = True
            self._inbox.put(None)

    def _waiting(self) -> list[tuple[Claim, float]]:
        waiting: list[tuple[Claim, float]] = []
        ends = 0
        while True:
            try:
                entry = self._inbox.get_nowait()
            except Empty:
                break
            if entry is None:
                ends += 1
            else:
                waiting.append(entry)
        for _ in range(ends):
            self._inbox.put(None)
        return waiting

    def _work(self, slot: _Slot, middleware: Sequence[Middleware]) -> None:
        attempts = Attempts(self._settings.dsn, self._settings.apps, middleware)
        while (entry := self._inbox.get()) is not None and not slot.abandoned:
            slot.running = entry[0]
            finished = attempts.run(entry[0])
            with slot.handing_on:
                if slot.abandoned:
                    break
                self._report((finished,))
                slot.running = None
                slot.ended += 1
        attempts.close()
