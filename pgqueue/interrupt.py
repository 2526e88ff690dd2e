"""Ctrl-C, a closed terminal or TERM in the middle: a command leaves what it does and cleans up, once, undisturbed."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Shield:
    """How many blocks an interrupt has to wait for, and whether one waits; of the main thread alone."""

    depth = 0
    waits = False


@contextmanager
def interruptible() -> Iterator[None]:
    """In the block the first such signal raises KeyboardInterrupt in the main thread, further ones do nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard = False

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal heard
        if not heard:
            heard = True
            if _Shield.depth:
                _Shield.waits = True
            else:
                raise KeyboardInterrupt

    # What is ignored stays so: under `nohup` the terminal may close.
    heeded = [number for number in NUMBERS if signal.getsignal(number) is not signal.SIG_IGN]
    before = [(number, signal.signal(number, interrupt)) for number in heeded]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Inside interruptible(): let an interrupt wait for the end of this block.

    For what takes a moment, and must not be cut in two: to start a process and remember it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _Shield.depth += 1
    try:
        yield
    finally:
        _Shield.depth -= 1
        if _Shield.waits and not _Shield.depth:
            _Shield.waits = False
            raise KeyboardInterrupt
