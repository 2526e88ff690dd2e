"""Retry policies: how long until the next attempt, and which errors deserve one."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from pgqueue.errors import OptionError
from pgqueue.options import Duration, check_duration, check_number, error_types
from pgqueue.vocabulary import advised_policy

ErrorTypes = type[BaseException] | Collection[type[BaseException]]
# A factor for people; its 64th power is still a float.
MOST_FACTOR = 1000


@advised_policy
@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """What all policies share; as it stands, the default: `n**4 + 15` seconds after the n-th failure, counted from 0.

    25 retries take 20.4 days, time to ship a fix (the rule that Sidekiq made common).

    `cap`: no wait is longer. `jitter`: up to this share is added, so that jobs which failed together do not return
    together. `on`: only these error types are retried. `not_on`: these never are. Every wait is given in seconds or as
    a timedelta, and kept in seconds. Raises OptionError.
    """

    cap: Duration = 86_400 * 7
    jitter: float = 0.1
    on: ErrorTypes = BaseException
    not_on: ErrorTypes = ()

    def __post_init__(self) -> None:
        _keep_seconds(self, "cap", zero=False)
        check_number("jitter", self.jitter, 0, 1)
        object.__setattr__(self, "on", error_types("on", self.on))
        object.__setattr__(self, "not_on", error_types("not_on", self.not_on))

    def wait(self, failures: int) -> float:
        """Seconds before the retry that follows `failures` earlier ones (0 for the first), without jitter or cap."""
        return float(failures**4 + 15)

    def delay(self, attempt: int) -> float:
        """Seconds until the attempt after `attempt` (1 is the first), with jitter, at most `cap`."""
        return min(seconds(self.cap), self.wait(attempt - 1) * (1 + random.random() * self.jitter))

    def retries(self, error: BaseException) -> bool:
        """Whether an attempt that ended with `error` deserves another."""
        return isinstance(error, _types(self.on)) and not isinstance(error, _types(self.not_on))


@advised_policy
@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff(RetryPolicy):
    """Exponential: `first`, `first * factor`, `first * factor**2` ... seconds, at most `cap`."""

    first: Duration = 5
    factor: float = 2

    def __post_init__(self) -> None:
        RetryPolicy.__post_init__(self)
        _keep_seconds(self, "first")
        check_number("factor", self.factor, 1, MOST_FACTOR)

    def wait(self, failures: int) -> float:
        # The exponent is bounded: past it every cap is reached, and a float would overflow.
        return seconds(self.first) * float(self.factor) ** min(failures, 64)


@advised_policy
@dataclass(frozen=True, slots=True, kw_only=True)
class Linear(RetryPolicy):
    """`step`, `2 * step`, `3 * step` ... seconds, at most `cap`."""

    step: Duration = 60

    def __post_init__(self) -> None:
        RetryPolicy.__post_init__(self)
        _keep_seconds(self, "step")

    def wait(self, failures: int) -> float:
        return seconds(self.step) * (failures + 1)


@advised_policy
@dataclass(frozen=True, slots=True)
class Fixed(RetryPolicy):
    """The same wait every time."""

    every: Duration = 60

    def __post_init__(self) -> None:
        RetryPolicy.__post_init__(self)
        _keep_seconds(self, "every")

    def wait(self, failures: int) -> float:
        return seconds(self.every)


@advised_policy
@dataclass(frozen=True, slots=True)
class Delays(RetryPolicy):
    """A list of waits; the last one repeats."""

    waits: Sequence[Duration] = (1, 5, 30, 300)

    def __post_init__(self) -> None:
        RetryPolicy.__post_init__(self)
        if isinstance(self.waits, str | bytes) or not isinstance(self.waits, Sequence):
            raise OptionError(f"waits must be a list of seconds or timedeltas, got {self.waits!r:.80}")
        if not self.waits:
            raise OptionError("Delays needs at least one wait, got an empty list")
        for number, wait in enumerate(self.waits):
            _check_wait(f"waits[{number}]", wait)
        object.__setattr__(self, "waits", tuple(seconds(wait) for wait in self.waits))

    def wait(self, failures: int) -> float:
        return seconds(self.waits[min(failures, len(self.waits) - 1)])


def seconds(duration: Duration) -> float:
    """A duration given in seconds or as a timedelta, in seconds."""
    return duration.total_seconds() if isinstance(duration, timedelta) else float(duration)


def _keep_seconds(policy: RetryPolicy, name: str, *, zero: bool = True) -> None:
    """Check an option of a frozen policy, and keep it in seconds: equal waits make equal policies."""
    value = getattr(policy, name)
    _check_wait(name, value, zero=zero)
    object.__setattr__(policy, name, seconds(value))


def _check_wait(name: str, value: Duration | None, *, zero: bool = True) -> None:
    if value is None:
        raise OptionError(f"{name} must be seconds or a timedelta, got None")
    check_duration(name, value, zero=zero, infinite=False)


def _types(kinds: ErrorTypes) -> tuple[type[BaseException], ...]:
    """What __post_init__ has made of them, as type checkers cannot know."""
    return kinds if isinstance(kinds, tuple) else error_types("on", kinds)


DEFAULT_RETRY = RetryPolicy()
