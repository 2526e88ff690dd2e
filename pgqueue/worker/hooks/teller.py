"""The teller: hears what was settled, and has the hooks called that want to know, in a thread of its own.

Nobody waits for it. What waits for a hook is bounded: of what comes when the line is full the number is kept and said.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Protocol

from pgqueue.events import (
    AttemptsFinished,
    AttemptsLate,
    Begun,
    Event,
    Finished,
    Observer,
    Trouble,
    WorkerStarted,
    WorkerStopping,
)
from pgqueue.hooks import EVERY, Told, names_of
from pgqueue.job import Claim
from pgqueue.worker.loop import Connection
from pgqueue.worker.sparing import Sparing

# Calls that may wait.
MOST_WAITING = 1_000
# Seconds between two looks for hooks of tasks that were met meanwhile; it costs nothing.
LOOK_EVERY = 1.0
# The same fault is said so often, in seconds.
SAID_EVERY = 10.0


class Caller(Protocol):
    """Calls hooks, here or in another process; used by the teller's thread alone."""

    def tell(self, name: str, told: Told) -> list[str]:
        """Call the hooks of that name, each for LONGEST seconds at most; what was wrong, in words."""

    def close(self) -> None:
        """End what was begun for it."""


class Teller:
    """`hooked()` says which hooks there are: a name, and a target or EVERY; `watch_starts` tells begun() of starts."""

    def __init__(
        self,
        hooked: Callable[[], frozenset[tuple[str, str]]],
        watch_starts: Callable[[Callable[[Claim], None]], None],
        caller: Callable[[], Caller],
        observe: Observer,
    ) -> None:
        self._hooked = hooked
        self._watch_starts = watch_starts
        self._make_caller = caller
        self._observe = observe
        self._wanted: frozenset[tuple[str, str]] = frozenset()
        self._successes = False
        self._sparing = Sparing(SAID_EVERY)
        self._changed = threading.Condition()  # guards what follows
        self._waiting: deque[tuple[str, Told]] = deque()
        self._dropped = 0
        self._busy = self._ended = False
        self._thread: threading.Thread | None = None

    def look(self, _conn: Connection | None = None) -> float:
        """Look which hooks there are; answers the seconds until the next look."""
        wanted = self._hooked()
        if wanted != self._wanted:
            self._successes = any(name == "on_success" for name, _ in wanted)
            if any(name == "on_start" for name, _ in wanted):
                self._watch_starts(self.begun)
            self._wanted = wanted
        return LOOK_EVERY

    def hear(self, event: Event) -> None:
        """Something happened; returns at once. Where nobody wants to know anything nothing is done."""
        if not self._wanted:
            return
        match event:
            case AttemptsFinished():
                for done in event.batch if self._successes else event.others:
                    for name in names_of(done):
                        self._tell(name, done, done.claim.target)
            case AttemptsLate(batch):
                for done in batch:
                    self._tell("on_stalled", done, done.claim.target)
            case WorkerStarted():
                self._tell("on_worker_start", event, EVERY)
            case WorkerStopping():
                self._tell("on_worker_stop", event, EVERY)

    def begun(self, claim: Claim) -> None:
        """An attempt began; returns at once."""
        self._tell("on_start", Begun(claim), claim.target)

    def mourns(self) -> bool:
        """Whether any hook is to be told of dead jobs."""
        return any(name == "on_dead" for name, _ in self._wanted)

    def buried(self, done: Finished) -> None:
        """A job is dead because its worker vanished, another one; returns at once."""
        self._tell("on_dead", done, done.claim.target)

    def stop(self, timeout: float) -> None:
        """Have what waits called for so many seconds, and then nothing more."""
        deadline = monotonic() + timeout
        with self._changed:
            while (self._waiting or self._busy) and (left := deadline - monotonic()) > 0:
                self._changed.wait(left)
            dropped, self._dropped = self._dropped + len(self._waiting), 0
            self._waiting.clear()
            self._ended = True
            self._changed.notify_all()
        self._say_dropped(dropped)

    def _tell(self, name: str, told: Told, target: str) -> None:
        if (name, target) not in self._wanted and (name, EVERY) not in self._wanted:
            return
        with self._changed:
            if self._ended or len(self._waiting) >= MOST_WAITING or not self._is_started():
                self._dropped += 1
                return
            self._waiting.append((name, told))
            self._changed.notify_all()

    def _is_started(self) -> bool:
        if self._thread is None:
            thread = threading.Thread(target=self._work, name="pgqueue-hooks", daemon=True)
            try:
                thread.start()
            except RuntimeError:
                return False
            self._thread = thread
        return True

    def _work(self) -> None:
        caller = self._make_caller()
        try:
            while (call := self._next()) is not None:
                for fault in caller.tell(*call):
                    self._say_fault(fault)
        finally:
            caller.close()

    def _next(self) -> tuple[str, Told] | None:
        with self._changed:
            self._busy = False
            self._changed.notify_all()
            dropped, self._dropped = self._dropped, 0
        self._say_dropped(dropped)
        with self._changed:
            while not self._waiting and not self._ended:
                self._changed.wait()
            if self._ended:
                return None
            self._busy = True
            return self._waiting.popleft()

    def _say_fault(self, fault: str) -> None:
        if (more := self._sparing.spare(fault[:200])) is not None:
            self._observe(Trouble("hooks", fault if not more else f"{fault} (and {more} more)"))

    def _say_dropped(self, dropped: int) -> None:
        if dropped:
            hint = "hooks are called one after the other; give what takes long to a job"
            self._observe(Trouble("hooks", f"{dropped:,} calls of hooks were dropped, too many waited", hint))
