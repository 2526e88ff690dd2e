"""What the job of a child says, on its way to the worker: with the end of the job, and while it runs by a thread.

A job's code only appends: SoftTimeout may be raised in it at any moment, also between two halves of a message. The
thread begins with the first line that any job says.
"""

from __future__ import annotations

import _thread
from collections import defaultdict, deque
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from uuid import UUID

from pgqueue.job import Claim, each_of
from pgqueue.job_log import Said
from pgqueue.job_progress import Gauge
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
        # True: at once.
        self._bell: SimpleQueue[bool] = SimpleQueue()
        self._rung = self._has_thread = False
        # The newest is the longest.
        self._extensions: deque[float] = deque(maxlen=1)
        self._advances: deque[None] = deque(maxlen=1)
        # Of the last job that has said how far it is.
        self._gauge: Gauge | None = None
        # The attempt that runs, and its number.
        self._now: tuple[UUID, int, int] | None = None
        # The places of the others, if it is that of a batch.
        self._places: dict[tuple[UUID, int], int] = {}

    def __bool__(self) -> bool:
        return bool(self._waiting or self._extensions or self._advances) or (
            self._gauge is not None and self._gauge.is_new
        )

    def begin(self, number: int, claim: Claim) -> None:
        """What is said from now on by the job of this claim is that of attempt `number`; others say nothing."""
        self._now = None
        if type(claim) is not Claim or self._places:
            self._places = {each[:2]: place for place, each in enumerate(each_of(claim))}
        self._now = claim.id, claim.claim, number
        self._extensions.clear()
        self._advances.clear()

    def put(self, said: Said) -> None:
        """Have a line sent, unless its job is over."""
        now = self._now
        if now is None or len(self._waiting) >= MOST_WAITING:
            return
        if said[:2] != now[:2] and said[:2] not in self._places:
            return
        self._waiting.append(said)
        self._ring()

    def show(self, gauge: Gauge) -> None:
        """Have sent how far the job is, unless it is over."""
        self._gauge = gauge
        self._ring()

    def extend(self, seconds: float) -> None:
        """Have asked at once that the job may run so long from now on."""
        self._extensions.append(seconds)
        self._ring(at_once=True)

    def advance(self) -> None:
        """Have told at once that the job has come further than a crash before."""
        self._advances.append(None)
        self._ring(at_once=True)

    def packed(self) -> bytes:
        """What waits, as messages; nothing of a job that is over."""
        now, lines = self._now, defaultdict[int, list[tuple[float, str, str]]](list)
        with suppress(IndexError):
            while True:
                said = self._waiting.popleft()
                place = 0 if now is not None and said[:2] == now[:2] else self._places.get(said[:2])
                if place is not None:
                    lines[place].append((round(said.at, 6), said.level, said.line))
        if now is None:
            return b""
        frames = b"".join(messages.pack(messages.SAID, now[2], each, place) for place, each in lines.items())
        with suppress(IndexError):
            frames += messages.pack(messages.EXTEND, now[2], self._extensions.popleft())
        with suppress(IndexError):
            self._advances.popleft()
            frames += messages.pack(messages.ADVANCED, now[2])
        return frames + self._packed_progress(now)

    def _packed_progress(self, now: tuple[UUID, int, int]) -> bytes:
        gauge = self._gauge
        if (
            gauge is None
            or not gauge.is_new
            or (gauge.job_id, gauge.claim) != now[:2]
            or (far := gauge.taken()) is None
        ):
            return b""
        return messages.pack(messages.PROGRESS, now[2], far.done, far.total, far.note)

    def _ring(self, *, at_once: bool = False) -> None:
        if not self._has_thread:
            # Twice, if the first was interrupted: the second looks for the first, and ends.
            _thread.start_new_thread(self._work, ())
        if at_once or not self._rung:
            self._rung = True
            self._bell.put(at_once)

    def _work(self) -> None:
        if self._has_thread:
            return
        self._has_thread = True
        while True:
            if not self._bell.get():
                with suppress(Empty):
                    self._bell.get(timeout=EVERY)
            self._rung = False
            self._send()
