"""Tasks that something looks on: soon retried, and telling which span and headers they see."""

from __future__ import annotations

import logging
import os

from opentelemetry import baggage, trace

from pgqueue.context import current_job
from pgqueue.retry import Fixed
from pgqueue.tasks import task

SOON = Fixed(0.05)


class Expected(Exception):
    """A part of the work."""


@task
def send(order_id: int) -> str:
    logging.getLogger("shop").info("sent")
    return f"{trace.get_current_span().get_span_context().trace_id:032x} {baggage.get_baggage('tenant')}"


@task
async def send_async(order_id: int) -> None:
    trace.get_current_span().set_attribute("shop.order", order_id)


@task(retry=SOON)
def fail_once() -> None:
    if current_job().attempt == 1:
        raise ValueError("no paper")


@task
def fork() -> None:
    """Leave a copy behind that returns from the task as this one does."""
    if pid := os.fork():
        os.waitpid(pid, 0)


@task(max_attempts=1)
def fail(api_token: str = "") -> None:
    raise ValueError("no paper")


@task(max_attempts=2, retry=SOON)
def fail_twice() -> None:
    raise ValueError("no paper")


@task(max_attempts=1, expected=(Expected,))
def fail_expectedly() -> None:
    raise Expected


@task(cron="0 3 * * *", timezone="Europe/Berlin")
def report() -> None:
    pass
