"""What a job finds of the process that it runs in, put back after each job.

See docs/design/what-a-job-leaves-behind.md for what is put back, and what is not.
"""

from __future__ import annotations

import _locale
import _signal  # type: ignore[import-not-found]
import decimal
import gc
import locale
import logging
import os
import posix
import signal
import socket
import sys
import threading
from contextvars import copy_context
from typing import Any

from pgqueue.worker.attempts.notices import NOTICE_SIGNAL

# Handlers that end a process, wake it, or tell its job that its time is up.
_SIGNALS = tuple(
    int(number)
    for number in (
        signal.SIGINT,
        signal.SIGALRM,
        signal.SIGTERM,
        signal.SIGTSTP,
        signal.SIGCHLD,
        signal.SIGPIPE,
        NOTICE_SIGNAL,
    )
)
_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY


class ProcessState:
    """The process as it is when this is made, by its main thread. put_back() costs about 2 microseconds.

    Where setting a value costs as little as asking for it, it is set.
    """

    def __init__(self) -> None:
        self._folder = os.open(".", _FOLDER)
        self._environ = dict(posix.environ)
        self._umask = os.umask(0o077)
        os.umask(self._umask)
        self._locale = _locale.setlocale(_locale.LC_ALL, None)
        self._telling_locale = _telling_locale()
        # As C knows them: an enum for each would cost more than all the rest.
        self._handlers = tuple((number, _signal.getsignal(number)) for number in _SIGNALS)
        self._numbers = _numbers()
        self._interpreter = _interpreter()

    def put_back(self) -> bool:
        """Undo what a job has changed; whether all of it could be undone."""
        try:
            os.fchdir(self._folder)
            os.umask(self._umask)
            _signal.alarm(0)
            if posix.environ != self._environ:
                os.environb.clear()
                os.environb.update(self._environ)
            for number, handler in self._handlers:
                if _signal.getsignal(number) is not handler:
                    _signal.signal(number, handler)
            if _telling_locale() != self._telling_locale:
                locale.setlocale(locale.LC_ALL, self._locale)
            if self._numbers is not None:
                # To look what changed in it would take longer.
                decimal.setcontext(self._numbers.copy())
            return _interpreter() == self._interpreter or self._put_back_interpreter()
        except Exception:
            return False

    def _put_back_interpreter(self) -> bool:
        limit, timeout, collects, logs, hook, thread_hook, out, err, *_ = self._interpreter
        sys.setrecursionlimit(limit)
        socket.setdefaulttimeout(timeout)
        (gc.enable if collects else gc.disable)()
        logging.disable(logs)
        sys.excepthook, threading.excepthook = hook, thread_hook
        sys.stdout, sys.stderr = out, err
        return _interpreter() == self._interpreter


def _telling_locale() -> tuple[str, str]:
    """What changes how numbers and dates look; to ask for all of a locale takes four times as long."""
    ask = _locale.setlocale
    return ask(_locale.LC_NUMERIC, None), ask(_locale.LC_TIME, None)


def _numbers() -> decimal.Context | None:
    """How an app has set up decimals while it was imported; if it has not, each job finds them as Python makes them."""
    return next((value.copy() for value in copy_context().values() if isinstance(value, decimal.Context)), None)


def _interpreter() -> tuple[Any, ...]:
    return (
        sys.getrecursionlimit(),
        socket.getdefaulttimeout(),
        gc.isenabled(),
        logging.root.manager.disable,
        sys.excepthook,
        threading.excepthook,
        sys.stdout,
        sys.stderr,
        # What is closed stays closed: of no use to the next job.
        getattr(sys.stdout, "closed", None),
        getattr(sys.stderr, "closed", None),
    )
