"""What a forked copy of this process must not share with it: signal handlers of ours, and the sockets of others.

A job may fork, itself or by multiprocessing. The copy is to be as one of a plain Python program: a signal ends it, and
whatever it does or closes, and however long it lives, reaches neither the server nor the worker.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Protocol
from weakref import WeakSet


class Shared(Protocol):
    """Something that a copy of the process has, too."""

    def in_copy(self) -> None:
        """Called in a forked copy, before anything else runs there."""


def not_for_copies(shared: Shared) -> None:
    """Call `in_copy()` in each forked copy of this process, as long as the object lives."""
    _shared.add(shared)


def dead_end(number: int) -> None:
    """Put a file that leads nowhere in place of an open one: closing it would free its number for somebody else.

    Raises OSError.
    """
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, number, inheritable=False)
    os.close(nothing)


_shared: WeakSet[Shared] = WeakSet()


def _part() -> None:
    for shared in tuple(_shared):
        with suppress(Exception):
            shared.in_copy()


os.register_at_fork(after_in_child=_part)
