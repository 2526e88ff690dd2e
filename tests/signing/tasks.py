"""Tasks whose jobs are signed, or forged: what ran is kept, with its arguments."""

from __future__ import annotations

import os
from contextvars import ContextVar
from typing import Any

import pgqueue
from pgqueue.context import current_job
from pgqueue.job import NewJob
from pgqueue.outcome import Bury

HERE = "tests.signing.tasks"
# What ran in this process, in its order.
ran: list[tuple[str, Any]] = []
heard: list[str] = []
who: ContextVar[str] = ContextVar("who")


@pgqueue.task(store_result=True)
def pay(amount: int = 0, note: str = "") -> int:
    ran.append(("pay", amount))
    return amount


@pgqueue.task
def total(amounts: Any = None, label: str = "") -> None:
    ran.append(("total", amounts))


@pgqueue.task
def clean_up(ended: Any, why: str = "") -> None:
    ran.append(("clean_up", why))


@pgqueue.task(on_failure=NewJob(clean_up, {"why": "declared"}))
def fail(amount: int = 0) -> None:
    ran.append(("fail", amount))
    raise Bury("no")


@pgqueue.task
def stand_in(amount: int = 0) -> None:
    ran.append(("stand_in", amount))


@pgqueue.task(fallback=stand_in, max_attempts=1)
def fall(amount: int = 0) -> None:
    raise ValueError("not today")


@pgqueue.task
def bring(amount: int = 0) -> None:
    job = current_job()
    job.enqueue(pay, [amount], unique_key=f"brought {amount}")
    job.effect(pay, amount + 1)


@pgqueue.task(every=3600, queue="ticking")
def tick() -> None:
    ran.append(("tick", None))


@pgqueue.task
def whose() -> None:
    ran.append(("whose", who.get("nobody")))


def not_a_task(amount: int = 0) -> None:
    ran.append(("not_a_task", amount))


@pgqueue.task(on_dead=lambda done: heard.append(done.settlement.reason or ""))
def told(amount: int = 0) -> None:
    ran.append(("told", amount))


def environment() -> list[str]:
    """The names of the variables that hold a key of the tests."""
    return [name for name, value in os.environ.items() if "a = " in value]
