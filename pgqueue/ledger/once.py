"""once(): whether something was done already, told by a ledger in the database that outlives jobs and attempts.

Two forms, which differ in what a crash leaves behind:

    within a transaction   the row is written with it: both are there, or neither
    outside of one         the row says `reserved` before the block, and `done` behind it; a crash between leaves it
                           `unknown`, and the next attempt is told

See docs/guides/once.md.
"""

from __future__ import annotations

import random
import shlex
import time
from types import TracebackType

from pgqueue.errors import EffectBusy, EffectUnknown, LeaseLost, SoftTimeout
from pgqueue.ledger.first import First
from pgqueue.ledger.forms import Form
from pgqueue.ledger.terms import SCOPE, Terms
from pgqueue.outcome import Bury
from pgqueue.retry import seconds
from pgqueue.store.effects import Met

# Seconds between two looks at an attempt that is at it.
FIRST_PAUSE, LAST_PAUSE = 0.01, 0.5
_INSTEAD = "write `async with`"


class Once:
    """A block that is to run once: `with job.once("charge:42") as first:`, or `async with`. See JobContext.once()."""

    def __init__(self, form: Form, terms: Terms) -> None:
        self._form = form
        self._terms = terms
        self._first: First | None = None

    def __enter__(self) -> First:
        return self._form.line.finish(self._enter(), _INSTEAD)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._form.line.finish(self._leave(error), _INSTEAD)

    async def __aenter__(self) -> First:
        return await self._form.line.finish_async(self._enter())

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._form.line.finish_async(self._leave(error))

    async def _enter(self) -> First:
        terms = self._terms
        left, pause = seconds(terms.wait), FIRST_PAUSE
        until = time.monotonic() + left
        again = terms.on_unknown == "run"
        while (met := await self._form.enter(left, again)).standing == "busy":
            if (left := until - time.monotonic()) <= 0:
                raise EffectBusy(_busy(terms, met))
            await self._form.line.pause(min(pause * random.uniform(0.5, 1.0), left))
            left, pause = max(0.0, until - time.monotonic()), min(2 * pause, LAST_PAUSE)
        if met.standing == "late":
            raise LeaseLost(f"this attempt is late: it may not begin {terms.key!r}, which the next one may")
        if met.standing == "unknown":
            self._decide(met)
        self._first = First(terms, met, met.standing == "first" or (met.standing == "unknown" and again))
        return self._first

    def _decide(self, met: Met) -> None:
        terms = self._terms
        if terms.on_unknown == "bury":
            raise Bury(f"{_unknown(terms, met)}; look, then {_cures(terms)}, and retry this job")
        if terms.on_unknown == "raise":
            raise EffectUnknown(f"{_unknown(terms, met)}; look, then {_cures(terms)}")

    async def _leave(self, error: BaseException | None) -> None:
        first, self._first = self._first, None
        if not first:
            return
        if error is None:
            await self._form.done(first._kept)
        else:
            # What was raised from outside, at whatever place, says nothing of how far the block came.
            cut_off = not isinstance(error, Exception) or isinstance(error, SoftTimeout)
            unsure = cut_off or isinstance(error, self._terms.unsure)
            await self._form.undone(error, unsure or first.is_unknown)


def _busy(terms: Terms, met: Met) -> str:
    who = "an open transaction" if met.job_id is None else f"job {met.job_id} since {met.reserved_at:%H:%M:%S}"
    return f"{terms.key!r} was not free within {seconds(terms.wait):g} s: {who} is at it"


def _unknown(terms: Terms, met: Met) -> str:
    who = "somebody" if met.job_id is None else f"job {met.job_id}, attempt {met.attempt},"
    return f"{who} began {terms.key!r} at {met.reserved_at}, and nobody knows whether it was done"


def _cures(terms: Terms) -> str:
    where = "" if terms.scope == SCOPE else f" --scope {shlex.quote(terms.scope)}"
    key = shlex.quote(terms.key)
    return f"`pgqueue effects done {key}{where}` or `pgqueue effects forget {key}{where}`"
