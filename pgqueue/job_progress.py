"""How far a job is, as it says itself: `job.progress(done, total)`. Its newest word counts, and no other.

A job's code only puts its word here; whoever writes it down takes the newest, as often as he likes. So a job may say it
a million times, and the last one is never lost while its process lives.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from numbers import Real
from typing import Any, NamedTuple
from uuid import UUID

from pgqueue.errors import OptionError

# Characters of a note.
LONGEST_NOTE = 200


class Progress(NamedTuple):
    """How far: `done` of `total`, if that is known. `at` is the time.monotonic() at which it was said."""

    done: float
    total: float | None
    note: str | None
    at: float


class Gauge:
    """What one attempt, by its job and claim, has said last; `is_new` until that was taken."""

    __slots__ = ("claim", "is_new", "job_id", "said")

    def __init__(self, job_id: UUID, claim: int) -> None:
        self.job_id = job_id
        self.claim = claim
        self.is_new = False
        self.said: Progress | None = None

    def say(self, said: Progress, show: Callable[[Gauge], object]) -> None:
        """Keep it, and show this gauge if it is not about to be looked at anyway."""
        self.said = said
        # taken() writes the one and reads the other in the other order: one of the two sees the other.
        if not self.is_new:
            self.is_new = True
            show(self)

    def taken(self) -> Progress | None:
        """The newest word."""
        self.is_new = False
        return self.said


def progress_of(done: Any, total: Any, note: str | None) -> Progress:
    """What a job says, checked. Raises OptionError."""
    of = None if total is None else _number("total", total)
    if of is not None and of < 0:
        raise OptionError(f"total must be 0 or more, got {total!r:.80}; leave it out if it is not known")
    return Progress(_number("done", done), of, note, time.monotonic())


def _number(option: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise OptionError(f"{option} must be a number, got {value!r:.80}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise OptionError(f"{option} must be a finite number, got {value!r:.80}")
    return number
