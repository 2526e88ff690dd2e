"""Code written once for sync and async connections: coroutines, which never wait where the connection is a sync one."""

from __future__ import annotations

from collections.abc import Coroutine
from inspect import isawaitable
from typing import Any, TypeVar

T = TypeVar("T")


def at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """The value of a coroutine that never waits, because its connection is a sync one."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        value: T = done.value
        return value
    coroutine.close()
    raise RuntimeError("a sync connection answered with an awaitable")


async def answer(value: Any) -> Any:
    """What a call on a connection answers, whichever kind it is."""
    return await value if isawaitable(value) else value
