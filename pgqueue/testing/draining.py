"""Runs what is queued until nothing is due: by the worker's own statements, one job after the other, in this thread."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Sequence
from typing import Any, overload

from pgqueue.options import check_duration, check_integer
from pgqueue.retry import seconds
from pgqueue.store.connection import AnyConnection, AsyncConnection, SyncConnection, driver_async, is_async
from pgqueue.store.sync_or_async import at_once
from pgqueue.testing.failures import NotQuiet
from pgqueue.testing.ran import Ran, raise_failed
from pgqueue.testing.runner import Runner
from pgqueue.testing.staging import outside_of_loops, runner_at, runner_on

MOST_JOBS, LONGEST = 1_000, 60.0
# Seconds that a job may wait and still be a part of what is due.
SOON = 0.01


@overload
def drain(
    where: str | SyncConnection,
    *,
    raises: bool = True,
    max_jobs: int = MOST_JOBS,
    timeout: float = LONGEST,
    app: Sequence[str] = (),
    middleware: Sequence[str] = (),
) -> list[Ran]: ...
@overload
def drain(
    where: AsyncConnection,
    *,
    raises: bool = True,
    max_jobs: int = MOST_JOBS,
    timeout: float = LONGEST,
    app: Sequence[str] = (),
    middleware: Sequence[str] = (),
) -> Awaitable[list[Ran]]: ...
def drain(
    where: str | AnyConnection,
    *,
    raises: bool = True,
    max_jobs: int = MOST_JOBS,
    timeout: float = LONGEST,
    app: Sequence[str] = (),
    middleware: Sequence[str] = (),
) -> list[Ran] | Awaitable[list[Ran]]:
    """Run jobs that are due, what they enqueue, and schedules, until nothing is due; answers the attempts in order.

    On a connection everything happens there, in the transaction that is open: jobs that were never committed run, a
    transactional task gets that transaction (in a savepoint), and a rollback undoes all of it. With a DSN it is as in a
    worker. With an async connection the answer is awaitable.

    Raises AttemptFailed after the first attempt that failed, unless `raises=False`; NotQuiet when there is more to do
    after `max_jobs` attempts or `timeout` seconds. `app` and `middleware` are those of a worker.
    """
    check_integer("max_jobs", max_jobs, 1, 1_000_000)
    check_duration("timeout", timeout, zero=False, infinite=False)
    bounds = _Bounds(raises, max_jobs, seconds(timeout))
    if not isinstance(where, str) and is_async(where):
        return _drain_async(where, bounds, app, middleware)
    return outside_of_loops(lambda: _drain(where, bounds, app, middleware))


def _drain(where: Any, bounds: _Bounds, app: Sequence[str], middleware: Sequence[str]) -> list[Ran]:
    with runner_at(where, app, middleware) as runner:
        return at_once(_to_quiet(runner, bounds, in_loop=False))


async def _drain_async(
    where: AsyncConnection, bounds: _Bounds, app: Sequence[str], middleware: Sequence[str]
) -> list[Ran]:
    raw = await driver_async(where)
    with runner_on(raw, app, middleware) as runner:
        return await _to_quiet(runner, bounds, in_loop=True)


class _Bounds:
    """How much may run, until when, and what ends it."""

    def __init__(self, raises: bool, max_jobs: int, timeout: float) -> None:
        self.raises = raises
        self.max_jobs = max_jobs
        self.timeout = timeout
        self.deadline = time.monotonic() + timeout

    @property
    def left(self) -> float:
        return max(0.0, self.deadline - time.monotonic())


async def _to_quiet(runner: Runner, bounds: _Bounds, *, in_loop: bool) -> list[Ran]:
    ran: list[Ran] = []
    while True:
        runner.fire()
        before = len(ran)
        claim = runner.claim()
        if claim is None and (pause := _due_soon(ran)):
            # An iterable task that was stopped goes on behind what is due by now.
            time.sleep(pause)
            claim = runner.claim()
        if claim is None:
            return ran
        if isinstance(claim, Ran):
            ran.append(claim)
        elif len(ran) >= bounds.max_jobs or not bounds.left:
            runner.give_back(claim)
            raise NotQuiet(_unquiet(claim.target, bounds, ran), ran)
        elif in_loop:
            ran += await runner.run_in_loop(claim, bounds.left)
        else:
            ran += runner.run(claim, bounds.left)
        if bounds.raises:
            raise_failed(ran[before:], ran)


def _due_soon(ran: Sequence[Ran]) -> float:
    """In how many seconds the job that ran last is due again, if that is no matter of waiting."""
    again = ran[-1].retry_in if ran else None
    return 0.0 if again is None or again > SOON else again + 0.001


def _unquiet(next_one: str, bounds: _Bounds, ran: Sequence[Ran]) -> str:
    last = ", ".join(each.target for each in ran[-3:])
    limit = f"max_jobs={bounds.max_jobs:,}" if len(ran) >= bounds.max_jobs else f"timeout={bounds.timeout:g}"
    return (
        f"after {len(ran):,} attempts ({limit}) {next_one} is still due; the last ones were {last or 'none'}."
        " If that is meant, allow more; if jobs enqueue each other without end, this is it"
    )
