"""Notices: what a running job is told from outside, and the guards that raise one only inside the job's own code.

A notice names the attempt that it is for by number. Between open() and close() of that number the guard lets
SoftTimeout be raised, once; what comes before waits for open(), what comes after is dropped: no exception ever lands
in the commit of a job's transaction, in our own code, or in the next job.
"""

from __future__ import annotations

import ctypes
import signal
import threading
from contextlib import suppress
from enum import StrEnum
from typing import Protocol

from pgqueue.errors import SoftTimeout
from pgqueue.forks import not_for_copies

# Nobody uses it, and its default is to be ignored: Go chose it for the same purpose.
NOTICE_SIGNAL = signal.SIGURG


class Notice(StrEnum):
    """What a running job can be told."""

    TIMEOUT = "timeout"
    CANCELLED = "cancelled"


class Guard(Protocol):
    """Where SoftTimeout may be raised; open() and close() are called by the thread that runs jobs, strike() by others.

    Numbers grow. Both open() and close() may themselves raise SoftTimeout, before they have done their work.
    """

    def open(self, number: int) -> None:
        """The code of attempt `number` begins."""

    def close(self) -> None:
        """It has ended."""

    def strike(self, number: int) -> None:
        """Raise SoftTimeout in the code of attempt `number`, if that is what runs, or when it begins."""


class NoGuard:
    """For attempts that nobody interrupts."""

    def open(self, number: int) -> None:
        """The code of attempt `number` begins."""

    def close(self) -> None:
        """It has ended."""

    def strike(self, number: int) -> None:
        """Nothing can be done."""


class SignalGuard:
    """For the main thread of a child: a signal, whose handler looks whose code it has interrupted.

    Reaches a job that sleeps, waits for a lock or a socket; not one that holds the GIL in C.
    """

    def __init__(self) -> None:
        self._inside: int | None = None
        self._struck: int | None = None
        self._thread = threading.main_thread().ident or 0
        signal.signal(NOTICE_SIGNAL, self._land)
        not_for_copies(self)

    def open(self, number: int) -> None:
        """The code of attempt `number` begins."""
        self._inside = number
        if self._struck == number:
            self._land()

    def close(self) -> None:
        """It has ended."""
        self._inside = None

    def strike(self, number: int) -> None:
        """Raise SoftTimeout in the code of attempt `number`."""
        self._struck = number
        with suppress(ProcessLookupError):
            signal.pthread_kill(self._thread, NOTICE_SIGNAL)

    def in_copy(self) -> None:
        """Nobody tells a copy anything by it."""
        signal.signal(NOTICE_SIGNAL, signal.SIG_DFL)

    def _land(self, *_signal: object) -> None:
        if self._inside is not None and self._inside == self._struck:
            self._inside = None
            raise SoftTimeout


class ThreadGuard:
    """For a thread among others: Python raises an exception in it, at its next bytecode. Made in that thread."""

    def __init__(self) -> None:
        self._inside: int | None = None
        self._struck: int | None = None
        self._thread = ctypes.c_ulong(threading.get_ident())
        # Held while an exception is sent or taken back; never on the way of a job that nobody strikes.
        self._striking = threading.Lock()

    def open(self, number: int) -> None:
        """The code of attempt `number` begins."""
        self._inside = number
        if self._struck == number:
            self.close()
            raise SoftTimeout

    def close(self) -> None:
        """It has ended."""
        number, self._inside = self._inside, None
        # strike() writes what is read here, and reads what was written here, in the other order: one sees the other.
        if number is not None and self._struck == number:
            self._absorb()

    def strike(self, number: int) -> None:
        """Raise SoftTimeout in the code of attempt `number`."""
        with self._striking:
            if self._struck == number:
                return
            self._struck = number
            if self._inside == number:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(self._thread, ctypes.py_object(SoftTimeout))

    def _absorb(self) -> None:
        """Take back an exception that was sent and has not landed, or let it land here."""
        while True:
            try:
                with self._striking:
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(self._thread, None)
                return
            except SoftTimeout:
                continue
