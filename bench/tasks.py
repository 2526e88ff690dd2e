"""The tasks that are measured: one that does nothing, one that says at once that it began."""

from __future__ import annotations

import socket

import pgqueue

_sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)


@pgqueue.task
def nothing(number: int) -> None:
    """Return at once."""


@pgqueue.task
async def nothing_async(number: int) -> None:
    """Return at once, as a coroutine."""


@pgqueue.task
def report(address: str, number: int) -> None:
    """Tell `address` that job `number` has begun."""
    _sender.sendto(str(number).encode(), address)
