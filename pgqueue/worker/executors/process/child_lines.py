"""What the job of a child says, on its way to the worker: with the end of the job, and while it runs by a thread.

A job's code only appends: SoftTimeout may be raised in it at any moment, also between two halves of a message. The
thread begins with the first line that any job says.
"""

from __future__ import annotations

import _thread
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from uuid import UUID

from pgqueue.job_log import Said
from pgqueue.worker.executors.process import messages

# Seconds that lines are gathered while their job runs.
EVERY = 0.3
# Lines that wait for the socket at most: those of one attempt.
MOST_WAITING = 1_001


class ChildLines:
    """put() from the job's code; packed() by whoever sends, one thread at a time. `send` has what waits sent."""

    def __init__(self, send: Callable[[], None]) -> None:
        self._send = send
        self._waiting: deque[Said] = deque()
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._rung = self._has_thread = False
        # The attempt that runs, and its number.
        self._now: tuple[UUID, int, int] | None = None

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def begin(self, number: int, job_id: UUID, claim: int) -> None:
        """What is said from now on by the job of this claim is that of attempt `number`; others say nothing."""
        self._now = job_id, claim, number

    def put(self, said: Said) -> None:
        """Have a line sent, unless its job is over."""
        now = self._now
        if now is None or said[:2] != now[:2] or len(self._waiting) >= MOST_WAITING:
            return
        self._waiting.append(said)
        if not self._has_thread:
            # Twice, if the first was interrupted: the second looks for the first, and ends.
            _thread.start_new_thread(self._work, ())
        if not self._rung:
            self._rung = True
            self._bell.put(None)

    def packed(self) -> bytes:
        """What waits, as a message; nothing of a job that is over."""
        now, lines = self._now, []
        with suppress(IndexError):
            while True:
                said = self._waiting.popleft()
                if now is not None and said[:2] == now[:2]:
                    lines.append((round(said.at, 6), said.level, said.line))
        return messages.pack(messages.SAID, now[2], lines) if now is not None and lines else b""

    def _work(self) -> None:
        if self._has_thread:
            return
        self._has_thread = True
        while True:
            self._bell.get()
            time.sleep(EVERY)
            self._rung = False
            self._send()
