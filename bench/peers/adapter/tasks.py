"""The tasks that peers run: one that does nothing, one that says at once that it began; each plain and async.

Of those that do nothing the first of a process says that it began, and the last of all: whoever measures a drain knows
so its course without asking the store meanwhile.
"""

from __future__ import annotations

import os

from adapter.told import tell

LAST = "BENCH_LAST"
_first = True
_last = int(os.environ.get(LAST, "-1"))


def nothing(n: int) -> None:
    """Return at once."""
    global _first
    if _first or n == _last:
        _first = False
        tell(n)


async def nothing_async(n: int) -> None:
    """The same as a coroutine."""
    global _first
    if _first or n == _last:
        _first = False
        tell(n)


def report(n: int) -> None:
    """Say that the job began."""
    tell(n)


async def report_async(n: int) -> None:
    """The same as a coroutine."""
    tell(n)
