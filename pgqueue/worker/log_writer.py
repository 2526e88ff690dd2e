"""Writes log lines in a thread of its own: whoever reads them, slowly or never, holds up no thread of the worker.

A terminal may be stopped with Ctrl-S, a pipe be full, a disk hang. What waits is bounded; beyond that lines are
dropped, counted, and said once somebody reads again.
"""

from __future__ import annotations

import atexit
import os
import select
import stat
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import TextIO
from weakref import WeakKeyDictionary, WeakSet, finalize

from pgqueue.forks import not_for_copies

# Characters that wait at most, while as many again may be under way: minutes of a busy worker.
MOST_WAITING = 1 << 20
# How long an end waits for what was written but not read yet, seconds.
FLUSH_SECONDS = 0.5


class LogWriter:
    """Takes lines from any thread, and never waits. `dropped(lines)` makes the line about lines that were lost."""

    def __init__(self, stream: TextIO, dropped: Callable[[int], str]) -> None:
        self._stream = stream
        self._is_copy = False
        # Made when somebody wants something written at once.
        self._taker: Taker | None = None
        self._dropped_line = dropped
        # Guards what follows; held for moments, never while something is written.
        self._lock = threading.Lock()
        self._waiting: deque[str] = deque()
        self._size = 0
        self._dropped = 0
        self._is_writing = False
        self._woken = threading.Event()
        self._thread: threading.Thread | None = None
        not_for_copies(self)

    def in_copy(self) -> None:
        """A job has forked: the copy has no thread that writes, and may end without a word; so it writes as it goes."""
        self._is_copy = True

    def write(self, text: str, lines: int, *, at_once: bool = False) -> None:
        """Have a text of so many lines written, or count it as dropped.

        `at_once`: before this returns, where that can be done without waiting: the process may end with the next call.
        """
        if self._is_copy:
            self._lost(text, 0)
            return
        with self._lock:
            if at_once and self._is_idle and self._take(text):
                return
            if (self._size and self._size + len(text) > MOST_WAITING) or not self._is_started():
                self._dropped += lines
            else:
                self._waiting.append(text)
                self._size += len(text)
        self._woken.set()

    def flush(self, seconds: float = FLUSH_SECONDS) -> None:
        """Wait for what waits to be written, so long at most."""
        deadline = time.monotonic() + seconds
        # In a forked copy nobody writes, and the lock may be held for ever.
        while not self._is_copy and time.monotonic() < deadline:
            with self._lock:
                if self._is_idle:
                    return
            time.sleep(0.002)

    @property
    def _is_idle(self) -> bool:
        return not self._waiting and not self._dropped and not self._is_writing

    def _take(self, text: str) -> bool:
        taker = self._taker = self._taker or Taker(self._stream)
        return taker.takes(text)

    def _is_started(self) -> bool:
        if self._thread is None:
            thread = threading.Thread(target=self._work, name="pgqueue-log", daemon=True)
            try:
                thread.start()
            except RuntimeError:
                # No more threads for this process: the next line tries again.
                return False
            self._thread = thread
            _writers.add(self)
        return True

    def _work(self) -> None:
        while True:
            self._woken.wait()
            self._woken.clear()
            with self._lock:
                texts, dropped = list(self._waiting), self._dropped
                self._waiting.clear()
                self._size = self._dropped = 0
                self._is_writing = True
            text = "".join(texts)
            lost = self._lost(text, dropped)
            with self._lock:
                self._is_writing = False
                self._dropped += lost

    def _lost(self, text: str, dropped: int) -> int:
        """Write that, and that so many lines were dropped behind it; answers how many lines could not be written."""
        try:
            _write(self._stream, f"{text}{self._dropped_line(dropped)}" if dropped else text)
        except (OSError, ValueError):
            # A full disk, a closed terminal: it may be otherwise later.
            return text.count("\n") + dropped
        return 0


class Taker:
    """Writes a line to a pipe or a file, if that takes it at once."""

    def __init__(self, stream: TextIO) -> None:
        self._number: int | None = None
        self._identity = (0, 0)
        with suppress(OSError, ValueError, AttributeError):
            number = stream.fileno()
            found = os.fstat(number)
            self._identity = found.st_ino, found.st_dev
            if stat.S_ISREG(found.st_mode):
                self._number = number
            elif stat.S_ISFIFO(found.st_mode):
                # Opened anew (on Linux), because not to wait is a matter of all who share what is open.
                self._number = os.open(f"/proc/self/fd/{number}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
                finalize(self, os.close, self._number)

    def takes(self, text: str) -> bool:
        """Whether it was written: all of it or nothing."""
        data = text.encode("utf-8", "backslashreplace")
        if self._number is None or len(data) > select.PIPE_BUF:
            return False
        try:
            found = os.fstat(self._number)
            # Jobs may close any file; what has its number then is not ours.
            return (found.st_ino, found.st_dev) == self._identity and os.write(self._number, data) == len(data)
        except OSError:
            return False


_writers: WeakSet[LogWriter] = WeakSet()
_of_stream: WeakKeyDictionary[TextIO, LogWriter] = WeakKeyDictionary()
# Guards the making of one of these.
_making = threading.Lock()


def writer_of(stream: TextIO, dropped: Callable[[int], str]) -> LogWriter:
    """The writer that all who write to this stream share: their lines stand in the order in which they were said."""
    with _making:
        found = _of_stream.get(stream)
        if found is None:
            found = _of_stream[stream] = LogWriter(stream, dropped)
        return found


def flush_all(seconds: float = FLUSH_SECONDS) -> None:
    """Have all that waits be written, before the process ends: so long at most for each."""
    for writer in tuple(_writers):
        writer.flush(seconds)


# Where a worker ends in a way that nobody foresaw.
atexit.register(flush_all)


def say_last(stream: TextIO, text: str, seconds: float = FLUSH_SECONDS) -> None:
    """Write something before a process ends at once; if nobody takes it in time, it ends without."""

    def write() -> None:
        with suppress(OSError, ValueError):
            _write(stream, text)

    flush_all(seconds)
    thread = threading.Thread(target=write, daemon=True)
    with suppress(RuntimeError):
        thread.start()
        thread.join(seconds)


def _write(stream: TextIO, text: str) -> None:
    """To its file, past its buffer: a thread that waits in there would keep the lock that the end of Python needs."""
    try:
        number = stream.fileno()
    except (OSError, AttributeError):
        stream.write(text)
        stream.flush()
        return
    rest = memoryview(text.encode(stream.encoding or "utf-8", "backslashreplace"))
    while rest:
        try:
            rest = rest[os.write(number, rest) :]
        except BlockingIOError:
            select.select([], [number], [])
