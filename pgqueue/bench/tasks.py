"""The tasks that are measured: one that does nothing, plain and as a coroutine, and one that says that it began."""

from __future__ import annotations

import socket
import time

import pgqueue

_sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)


@pgqueue.task
def nothing(number: int) -> None:
    """Return at once."""


@pgqueue.task
async def nothing_async(number: int) -> None:
    """Return at once, as a coroutine."""


@pgqueue.task
def span(address: str, number: int) -> None:
    """Tell `address` when job `number` began and when it ended, as two jobs would that began then."""
    report.function(address, 2 * number)
    report.function(address, 2 * number + 1)


@pgqueue.task
def nap(address: str, number: int, seconds: float) -> None:
    """Tell `address` when job `number` began, and hold the slot for a while."""
    report.function(address, number)
    time.sleep(seconds)


@pgqueue.task
def report(address: str, number: int) -> None:
    """Tell `address` when job `number` began."""
    began = time.monotonic_ns()
    _sender.sendto(f"{number} {began}".encode(), address)
