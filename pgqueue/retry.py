"""Retry policies: how long until the next attempt, and which errors deserve one."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from pgqueue.errors import OptionError

ErrorTypes = type[BaseException] | tuple[type[BaseException], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """What all policies share; as it stands, the default: `n**4 + 15` seconds after the n-th failure, counted from 0.

    25 retries take 20.4 days, time to ship a fix (the rule that Sidekiq made common).

    `cap`: no wait is longer, seconds. `jitter`: up to this share is added, so that jobs which failed together do not
    return together. `on`: only these error types are retried. `not_on`: these never are.
    """

    cap: float = 86_400 * 7
    jitter: float = 0.1
    on: ErrorTypes = BaseException
    not_on: ErrorTypes = ()

    def __post_init__(self) -> None:
        if self.cap <= 0:
            raise OptionError(f"cap must be more than 0 seconds, got {self.cap!r}")
        if not 0 <= self.jitter <= 1:
            raise OptionError(f"jitter is a share between 0 and 1, got {self.jitter!r}")

    def wait(self, failures: int) -> float:
        """Seconds before the retry that follows `failures` earlier ones (0 for the first), without jitter or cap."""
        return float(failures**4 + 15)

    def delay(self, attempt: int) -> float:
        """Seconds until the attempt after `attempt` (1 is the first), with jitter, at most `cap`."""
        return min(self.cap, self.wait(attempt - 1) * (1 + random.random() * self.jitter))

    def retries(self, error: BaseException) -> bool:
        """Whether an attempt that ended with `error` deserves another."""
        return isinstance(error, self.on) and not isinstance(error, self.not_on)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff(RetryPolicy):
    """Exponential: `first`, `first * factor`, `first * factor**2` ... seconds, at most `cap`."""

    first: float = 5
    factor: float = 2

    def wait(self, failures: int) -> float:
        # The exponent is bounded: past it every cap is reached, and a float would overflow.
        return self.first * self.factor ** min(failures, 64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Linear(RetryPolicy):
    """`step`, `2 * step`, `3 * step` ... seconds, at most `cap`."""

    step: float = 60

    def wait(self, failures: int) -> float:
        return self.step * (failures + 1)


@dataclass(frozen=True, slots=True)
class Fixed(RetryPolicy):
    """The same wait every time, seconds."""

    every: float = 60

    def wait(self, failures: int) -> float:
        return self.every


@dataclass(frozen=True, slots=True)
class Delays(RetryPolicy):
    """A list of waits, seconds; the last one repeats."""

    waits: Sequence[float] = (1, 5, 30, 300)

    def __post_init__(self) -> None:
        RetryPolicy.__post_init__(self)
        if not self.waits:
            raise OptionError("Delays needs at least one wait, got an empty list")

    def wait(self, failures: int) -> float:
        return self.waits[min(failures, len(self.waits) - 1)]


DEFAULT_RETRY = RetryPolicy()


def seconds(duration: float | timedelta) -> float:
    """A duration given in seconds or as a timedelta, in seconds."""
    return duration.total_seconds() if isinstance(duration, timedelta) else float(duration)
