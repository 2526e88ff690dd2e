"""What the main thread waits for: signals, and other threads that want it to look.

Signal handlers only set a flag: an exception raised by one would land wherever the main thread is. The flag is a byte
in a pipe, because a thread that waits on a lock cannot be woken safely from a handler.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import threading
from collections.abc import Iterable
from types import FrameType, TracebackType
from typing import Any, Protocol, Self

from pgqueue.forks import not_for_copies

SIGNALS = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGTSTP,
    signal.SIGCONT,
    signal.SIGUSR1,
    signal.SIGTTIN,
)


class Calls(Protocol):
    """What whoever supervises an enlistment waits for: signals, or what stands for them."""

    def wake(self) -> None:
        """Make it look; from any thread."""

    def wait(self, timeout: float) -> Iterable[signal.Signals]:
        """Wait for wake() or a signal, at most `timeout` seconds; answers the signals since the last wait."""


class Signals:
    """Inside the `with` block signals are collected, if this is the main thread; outside, they mean what they did."""

    def __init__(self) -> None:
        self._arrived: list[signal.Signals] = []
        self._before: dict[signal.Signals, Any] = {}
        self._reader = self._writer = -1

    def __enter__(self) -> Self:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
                    # As `nohup` has it: the terminal may close.
                    continue
                self._before[number] = signal.signal(number, self._remember)
            not_for_copies(self)
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()
        if self._reader >= 0:
            os.close(self._reader)
            os.close(self._writer)
        self._reader = self._writer = -1

    def in_copy(self) -> None:
        """What a job forks is no worker: signals mean there what they meant before."""
        self.__exit__(None, None, None)

    def wake(self) -> None:
        """Make the main thread look; from any thread."""
        try:
            os.write(self._writer, b".")
        except OSError:
            # Full: it has enough reason to look. Not open: it does not wait here.
            return

    def wait(self, timeout: float) -> Iterable[signal.Signals]:
        """Wait for wake() or a signal, at most `timeout` seconds; answers the signals since the last wait."""
        select.select([self._reader], [], [], timeout)
        with contextlib.suppress(BlockingIOError):
            os.read(self._reader, 4096)
        arrived, self._arrived = self._arrived, []
        return arrived

    def _remember(self, number: int, _frame: FrameType | None) -> None:
        self._arrived.append(signal.Signals(number))
        self.wake()
