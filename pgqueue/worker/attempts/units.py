"""The units of an iterable task: it runs from yield to yield, and may be stopped at each of them.

What it yields is where its next attempt goes on. In a transactional task each yield commits what was written since the
last one, together with that.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator
from contextlib import suppress
from time import monotonic
from types import GeneratorType
from typing import Any

from pgqueue.context import WorkerPhase, keep_last, keep_place, phase_of, place_of, tell_advanced
from pgqueue.errors import LeaseLost, SoftTimeout
from pgqueue.outcome import Cancel, Signal
from pgqueue.store import progress
from pgqueue.store.lender import Lender
from pgqueue.store.sync_or_async import at_once
from pgqueue.worker.attempts.call import Call
from pgqueue.worker.attempts.notices import Guard, Notice

# Behind what is due by now: a job that keeps its place would be the next one again, and again.
BEHIND_OTHERS = 0.001


class Stopped(Signal):
    """An iterable task was stopped at a yield: it goes on from there, and this attempt is given back."""


def run_units(call: Call, value: object, guard: Guard, lender: Lender) -> Any:
    """Run what an iterable task has returned to its end; answers what that returns. Raises Stopped."""
    if not isinstance(value, GeneratorType):
        raise TypeError(f"{call.task.target} is iterable=True and returned {value!r:.80}, no generator")
    began = monotonic()
    try:
        while True:
            try:
                place = _next(call, value, guard)
            except StopIteration as end:
                return end.value
            at_once(_keep(call, place, lender))
            _stop_if_wanted(call, began)
    finally:
        # Not to be interrupted: what it does here is its own, and bounded by its timeout.
        value.close()


async def run_units_async(call: Call, value: object, lender: Lender | None) -> None:
    """As run_units(), in the event loop; after each unit others have their turn."""
    if not inspect.isasyncgen(value):
        raise TypeError(f"{call.task.target} is iterable=True and returned {value!r:.80}, no async generator")
    began = monotonic()
    # So that resumed_from is there at once, as in the other kind.
    await call.context.load_checkpoint()
    try:
        while True:
            try:
                place = await call.awaited(_next_async(value))
            except StopAsyncIteration:
                return
            await _keep(call, place, lender)
            _stop_if_wanted(call, began)
            await asyncio.sleep(0)
    finally:
        await value.aclose()


def leave_place(call: Call) -> None:
    """Write down where a task that is no coroutine was, as it said last; it has failed, and that decides."""
    with suppress(Exception):
        at_once(keep_last(call.context))


async def leave_place_async(call: Call) -> None:
    """As leave_place(), for coroutines."""
    with suppress(Exception):
        await keep_last(call.context)


def _next(call: Call, units: GeneratorType[Any, None, Any], guard: Guard) -> Any:
    """Run one unit. That its time is up is raised in the task's own code, also if the unit had not begun."""
    try:
        guard.open(call.number)
        return next(units)
    except SoftTimeout as timeout:
        if units.gi_frame is None:
            raise
        return units.throw(timeout)
    finally:
        guard.close()


async def _next_async(units: AsyncIterator[Any]) -> Any:
    return await anext(units)


async def _keep(call: Call, place: Any, lender: Lender | None) -> None:
    """Keep where it goes on; in a transactional task with what it has written."""
    if not call.task.transactional:
        await keep_place(call.context, place)
        return
    assert lender is not None
    try:
        await lender.go_on(progress.checkpoint(call.claim, None if place is None else place_of(place)))
    except LeaseLost:
        call.context.late = True
        raise
    tell_advanced(call.context)


def _stop_if_wanted(call: Call, began: float) -> None:
    """Raise Stopped or Cancel at a yield if the task is not to go on; it `began` at that time.monotonic()."""
    call.units += 1
    if call.told is Notice.CANCELLED:
        raise Cancel("it was stopped at a yield")
    if call.told is Notice.TIMEOUT:
        raise Stopped("its time was up, and it came to a yield")
    match phase_of(call.context):
        case WorkerPhase.STOPPING:
            raise Stopped("its worker stops, and it came to a yield")
        case WorkerPhase.QUIET:
            raise Stopped("its worker is quiet, and it came to a yield")
    longest = call.task.bounds.max_run
    if isinstance(longest, int | float) and monotonic() - began >= longest:
        raise Stopped(f"it has run for {longest:g} s (max_run), and came to a yield")
