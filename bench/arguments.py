"""What arguments cost in Python, in microseconds: `python -m bench.arguments`. No database.

A job of a plain task is to be made, and called, as fast as before there were types; the others pay for what they ask.
"""

from __future__ import annotations

import inspect
import timeit
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pgqueue
from bench.typed_tasks import Line, plain, typed
from pgqueue.codec import args_of, decode_args
from pgqueue.ids import new_job_id
from pgqueue.job import Claim
from pgqueue.tasks.addressing import named
from pgqueue.worker.attempts.call import prepare

ROUNDS, CALLS = 7, 20_000


VALUES = (UUID(int=7), datetime.now(UTC), [Line("pen", Decimal("1.50"))] * 3)


def main() -> None:
    """Print each figure: the best of some rounds."""
    plain_claim, typed_claim = _claim(plain.job(7, note="x")), _claim(typed.job(*VALUES))
    tasks: dict[str, Any] = {}
    plain_job, typed_job = plain.job(7, note="x"), typed.job(*VALUES)
    signature = inspect.signature(plain.function)
    text = f"{plain.function.__module__}:plain"
    figures: dict[str, Callable[[], Any]] = {
        "plain: Task.job()": lambda: plain.job(7, note="x"),
        "plain: NewJob by its text, named": lambda: named(pgqueue.NewJob(text, {"order_id": 7}), {}),
        "plain: whether arguments fit": lambda: plain.misfit((), {"order_id": 7, "note": "x"}),
        "  the same by Signature.bind()": lambda: signature.bind(order_id=7, note="x"),
        "plain: as text": lambda: args_of(plain_job),
        "plain: from claim to call": lambda: prepare(plain_claim, tasks, ["bench"], 0.0),
        "typed: Task.job()": lambda: typed.job(*VALUES),
        "typed: as text": lambda: args_of(typed_job),
        "typed: from claim to call": lambda: prepare(typed_claim, tasks, ["bench"], 0.0),
        "  of that, from text to JSON": lambda: decode_args(typed_claim.args),
    }
    for name, act in figures.items():
        best = min(timeit.repeat(act, number=CALLS, repeat=ROUNDS)) / CALLS
        print(f"{name:38} {best * 1e6:6.2f} µs")


def _claim(new: pgqueue.NewJob) -> Claim:
    now = datetime.now(UTC)
    said = (new_job_id(), 1, 1, 0, None, None, None, 5, "default", new.name, args_of(new), None, now, 1)
    return Claim(*said)


if __name__ == "__main__":
    main()
