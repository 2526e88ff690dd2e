"""Hands the worker's lines to the handlers of the application, in a thread of its own: a handler may wait for its disk.

What waits is bounded; what is dropped is counted and said.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

from pgqueue.printable import cut, in_one_line
from pgqueue.worker.log_lines import LEVELS, TEXT_LIMITS

LOGGER = logging.getLogger("pgqueue.worker")
# Lines that wait at most: a second of a busy worker.
MOST_WAITING = 10_000
# How long an end waits for what was not handed on yet, seconds.
FLUSH_SECONDS = 0.5
# What every record has, which no field may be called.
_TAKEN = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}

_Entry = tuple[float, str, str, dict[str, Any]]


def is_taken(logger: logging.Logger) -> bool:
    """Whether a handler of the application, and not one that drops everything, would be given its records."""
    above: logging.Logger | None = logger
    while above is not None:
        if any(not isinstance(handler, logging.NullHandler) for handler in above.handlers):
            return True
        above = above.parent if above.propagate else None
    return False


class RecordWriter:
    """Makes records of lines; write() from any thread, and it never waits."""

    def __init__(self) -> None:
        # Each end of it is used by one thread or is atomic; when it is full the oldest is not lost, the newest is.
        self._waiting: deque[_Entry] = deque()
        self._dropped = 0
        self._busy = False
        self._woken = threading.Event()
        self._thread: threading.Thread | None = None

    def write(self, lines: Sequence[tuple[str, str, dict[str, Any]]]) -> None:
        """Have these lines handed on: each its level, its words and its fields."""
        now = time.time()
        for level, message, fields in lines:
            if len(self._waiting) >= MOST_WAITING or not self._is_started():
                self._dropped += 1
            else:
                self._waiting.append((now, level, message, fields))
        self._woken.set()

    def flush(self, seconds: float = FLUSH_SECONDS) -> None:
        """Wait for what waits to be handed on, so long at most."""
        deadline = time.monotonic() + seconds
        while (self._waiting or self._busy) and time.monotonic() < deadline:
            time.sleep(0.002)

    def _is_started(self) -> bool:
        if self._thread is None:
            thread = threading.Thread(target=self._work, name="pgqueue-log-records", daemon=True)
            try:
                thread.start()
            except RuntimeError:
                return False
            self._thread = thread
        return True

    def _work(self) -> None:
        while True:
            self._woken.wait()
            self._busy = True
            self._woken.clear()
            while self._waiting:
                _hand_on(*self._waiting.popleft())
            if dropped := self._dropped:
                self._dropped -= dropped
                _hand_on(time.time(), "warning", "log lines dropped", {"lines": dropped})
            self._busy = False


def _hand_on(at: float, level: str, message: str, fields: dict[str, Any]) -> None:
    number = LEVELS[level]
    if not LOGGER.isEnabledFor(number):
        return
    said = {(f"{name}_" if name in _TAKEN else name): _harmless(value) for name, value in fields.items()}
    words = in_one_line(message, TEXT_LIMITS[0])
    try:
        record = LOGGER.makeRecord(LOGGER.name, number, "pgqueue", 0, words, (), None, extra={"event": words} | said)
        record.created, record.msecs = at, int(at % 1 * 1000)
        LOGGER.handle(record)
    except Exception:  # A handler or filter of the application: what it does wrong must not end the lines after this.
        return


def _harmless(value: object) -> object:
    return in_one_line(cut(value, TEXT_LIMITS[0])) if isinstance(value, str) else value
