"""How a call that waits begins: whether it may, and on whichever connection it was given."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from pgqueue.context import running
from pgqueue.errors import UsageError
from pgqueue.hearing.until import Raw
from pgqueue.store.asking import telling
from pgqueue.store.connection import ASYNC, AnyConnection, AsyncConnection, awaited, driver, driver_async, is_async
from pgqueue.store.meaning import TOLD, told
from pgqueue.store.sync_or_async import at_once

T = TypeVar("T")


def check_may_wait(caller: str, inside_job: bool) -> None:
    """Raise UsageError inside a job, unless it was said that it may wait there."""
    if running.get() is not None and not inside_job:
        raise UsageError(
            f"{caller} inside a job would hold its slot while it waits; enqueue the next step as a job, or say"
            " inside_job=True where another worker is sure to run what is waited for"
        )


def waiting_on(conn: AnyConnection, wait: Callable[[Raw], Coroutine[Any, Any, T]]) -> Any:
    """What waiting on a connection answers; an awaitable if that is async. Raises what ask() raises."""
    if is_async(conn):
        return telling(_with_driver(conn, wait))
    raw = driver(conn)
    if isinstance(raw, ASYNC):
        return awaited(telling(_with_driver(raw, wait)))
    try:
        return at_once(wait(raw))
    except TOLD as error:
        raise told(error) from error


async def _with_driver(conn: AsyncConnection, wait: Callable[[Raw], Coroutine[Any, Any, T]]) -> T:
    return await wait(await driver_async(conn))
