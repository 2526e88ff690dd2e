"""The tasks that peers run: one that does nothing, one that says at once that it began; each plain and async."""

from __future__ import annotations

from adapter.told import tell

_first = True


def nothing(n: int) -> None:
    """Return at once; only the first of a process says that it began."""
    global _first
    if _first:
        _first = False
        tell(n)


async def nothing_async(n: int) -> None:
    """The same as a coroutine."""
    global _first
    if _first:
        _first = False
        tell(n)


def report(n: int) -> None:
    """Say that the job began."""
    tell(n)


async def report_async(n: int) -> None:
    """The same as a coroutine."""
    tell(n)
