"""Branches of a workflow that run at once: in threads, or in the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from pgqueue.durable.memos import branch
from pgqueue.options import check_integer

T = TypeVar("T")
MOST_AT_ONCE = 64


def all_of(calls: Sequence[Callable[[], T]], at_once: int) -> list[T]:
    """What these calls return, when all have ended; raises what the first of them raised."""
    check_integer("at_once", at_once, 1, MOST_AT_ONCE)
    if not calls:
        return []
    here = branch.get()

    def run(number: int) -> T:
        branch.set((*here, number))
        return calls[number]()

    pool = ThreadPoolExecutor(min(at_once, len(calls)), "pgqueue-branch")
    try:
        futures: list[Future[T]] = [pool.submit(copy_context().run, run, number) for number in range(len(calls))]
        # Where this thread is told that its time is up, those that are left end by themselves: they are late then.
        errors = [future.exception() for future in futures]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    for error in errors:
        if error is not None:
            raise error
    return [future.result() for future in futures]


async def all_of_async(calls: Sequence[Awaitable[T]], at_once: int) -> list[T]:
    """As all_of(), in the event loop; cancelled, it cancels them."""
    check_integer("at_once", at_once, 1, MOST_AT_ONCE)
    rooms = asyncio.Semaphore(at_once)
    here = branch.get()

    async def run(number: int, call: Awaitable[T]) -> T:
        branch.set((*here, number))
        async with rooms:
            return await call

    tasks = [asyncio.create_task(run(number, call)) for number, call in enumerate(calls)]
    try:
        answers = await asyncio.gather(*tasks, return_exceptions=True)
    except BaseException:
        for task in tasks:
            task.cancel()
        raise
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return [answer for answer in answers if not isinstance(answer, BaseException)]
