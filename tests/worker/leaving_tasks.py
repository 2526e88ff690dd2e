"""Tasks that leave something behind, and tasks that look for it."""

from __future__ import annotations

import asyncio
import contextvars
import decimal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pgqueue.context import JobContext
from pgqueue.tasks import task

tenant: contextvars.ContextVar[str | None] = contextvars.ContextVar("tenant", default=None)
seen_by_middleware: contextvars.ContextVar[str | None] = contextvars.ContextVar("seen", default=None)
mine = threading.local()


def _look() -> dict[str, Any]:
    numbers = decimal.getcontext()
    return {
        "context variable": tenant.get(),
        "digits": numbers.prec,
        "rounding": numbers.rounding,
        "traps": numbers.traps[decimal.Inexact],
    }


def _soil() -> None:
    tenant.set("somebody")
    numbers = decimal.getcontext()
    numbers.prec, numbers.rounding, numbers.traps[decimal.Inexact] = 3, decimal.ROUND_UP, True


@task(store_result=True)
def visit() -> dict[str, Any]:
    found = _look()
    _soil()
    return found


@task(store_result=True)
async def visit_async() -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    found = {
        **_look(),
        "debug": loop.get_debug(),
        "handler": loop.get_exception_handler() is not None,
        "factory": loop.get_task_factory() is not None,
        "slow": loop.slow_callback_duration,
    }
    _soil()
    loop.set_debug(True)
    loop.set_exception_handler(lambda *_: None)
    loop.set_task_factory(lambda loop, coroutine, **_: asyncio.Task(coroutine, loop=loop))
    loop.slow_callback_duration = 9.0
    await asyncio.sleep(0)
    return found


@task(store_result=True)
def remember_in_the_thread() -> str | None:
    found: str | None = getattr(mine, "value", None)
    mine.value = "somebody"
    return found


@contextmanager
def setting(job: JobContext) -> Iterator[None]:
    """A middleware that sets a variable, on top of what it finds there."""
    seen_by_middleware.set(f"{seen_by_middleware.get()} then {job.target}")
    yield


@task(store_result=True)
def told() -> str | None:
    return seen_by_middleware.get()


@task(store_result=True)
async def told_async() -> str | None:
    return seen_by_middleware.get()
