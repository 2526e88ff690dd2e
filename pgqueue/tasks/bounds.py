"""What a task says about its attempts: how long they may take, and what becomes of the job when they end badly."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Literal, get_args

from pgqueue.company import LONGEST_WAIT, MOST_TOGETHER, Batching
from pgqueue.errors import OptionError
from pgqueue.options import Duration, check_choice, check_duration, check_flag, check_integer, check_name, error_types
from pgqueue.retry import RetryPolicy, seconds

OnTimeout = Literal["retry", "bury", "cancel"]
ON_TIMEOUT: tuple[str, ...] = get_args(OnTimeout)
OnExpiry = Literal["bury", "cancel"]
FallbackOn = Literal["failed", "timeout", "crashed", "lost"]
StoreLogs = Literal["debug", "info", "warning", "error", "off"]
# Seconds or a timedelta until the next attempt; Bury or Cancel, as a task raises them; None: as the policy says.
RetryIn = Callable[[int, BaseException], Any]
MOST_ATTEMPTS = 32_767
# The seconds that the first job of a batch waits for others, if nothing is said.
DEFAULT_WAIT = 0.2
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_LENGTH = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)\s*([smhdw])", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Options that stay with the task: no job carries them, the worker looks them up."""

    soft_timeout: Duration | None = None
    on_timeout: OnTimeout = "retry"
    on_expiry: OnExpiry = "bury"
    at_most_once: bool = False
    infra_errors: Collection[type[BaseException]] = ()
    expected: Collection[type[BaseException]] = ()
    store_logs: StoreLogs | None = None
    retry_in: RetryIn | None = None
    retry_for: Duration | str | None = None
    iterable: bool = False
    max_run: Duration | str | None = None
    codec: str | None = None
    encrypted: bool | None = None
    batch: int | None = None
    batch_wait: Duration | None = None

    def __post_init__(self) -> None:
        check_duration("soft_timeout", self.soft_timeout, zero=False, infinite=False)
        _check_said("on_timeout", self.on_timeout)
        check_choice("on_timeout", self.on_timeout, ON_TIMEOUT)
        _check_said("on_expiry", self.on_expiry)
        check_choice("on_expiry", self.on_expiry, ("bury", "cancel"))
        _check_said("at_most_once", self.at_most_once)
        check_flag("at_most_once", self.at_most_once)
        check_choice("store_logs", self.store_logs, ("debug", "info", "warning", "error", "off"))
        check_name("codec", self.codec)
        if self.encrypted is not None:
            check_flag("encrypted", self.encrypted)
        object.__setattr__(self, "infra_errors", error_types("infra_errors", self.infra_errors))
        object.__setattr__(self, "expected", error_types("expected", self.expected))
        if self.retry_in is not None and not callable(self.retry_in):
            raise OptionError(f"retry_in must be a function of the attempt and its error, got {self.retry_in!r:.80}")
        if self.retry_in is not None and self.retry_for is not None:
            raise OptionError("retry_for sums up the waits of a policy, and retry_in says its own; give one of them")
        object.__setattr__(self, "retry_for", length("retry_for", self.retry_for))
        check_flag("iterable", self.iterable)
        object.__setattr__(self, "max_run", length("max_run", self.max_run))
        if self.max_run is not None and not self.iterable:
            raise OptionError("max_run stops a task at a yield; say iterable=True, too, or timeout= to end it anywhere")
        if self.batch is not None or self.batch_wait is not None:
            self._check_batch()

    def _check_batch(self) -> None:
        check_integer("batch", self.batch, 1, MOST_TOGETHER)
        check_duration("batch_wait", self.batch_wait, zero=True, infinite=False)
        if self.batch is None:
            raise OptionError("batch_wait is how long a batch waits for more jobs; say batch, too: how many at most")
        if self.batch_wait is not None and seconds(self.batch_wait) > LONGEST_WAIT:
            raise OptionError(f"batch_wait must be at most {LONGEST_WAIT:g} s, got {self.batch_wait!r}")
        if self.iterable:
            raise OptionError("batch does not go with iterable: a batch is one call; leave one of the two out")
        if self.at_most_once:
            raise OptionError(
                "batch does not go with at_most_once: where a call is cut off, nobody knows how far each of its jobs"
                " came, and all of them would be dead; leave one of the two out"
            )

    @property
    def batching(self) -> Batching | None:
        """How jobs are run together; None if each has a call of its own."""
        if self.batch is None:
            return None
        return Batching(self.batch, DEFAULT_WAIT if self.batch_wait is None else seconds(self.batch_wait))

    def most_attempts(self, policy: RetryPolicy, said: int | None) -> int | None:
        """How many attempts there may be: as `retry_for` allows, or `said` if that is fewer. Raises OptionError."""
        if not isinstance(self.retry_for, int | float):
            return said
        waited, attempts = 0.0, 1
        while (waited := waited + min(seconds(policy.cap), policy.wait(attempts - 1))) <= self.retry_for:
            attempts += 1
            if attempts > MOST_ATTEMPTS:
                raise OptionError(
                    f"retry_for {self.retry_for:g} s is more than {MOST_ATTEMPTS:,} attempts; wait longer between them"
                )
        return attempts if said is None else min(attempts, said)

    def check_against(self, timeout: Duration | None) -> None:
        """Raise OptionError if the task's `timeout` leaves no room for its soft one."""
        if timeout is not None and self.soft_timeout is not None and seconds(self.soft_timeout) >= seconds(timeout):
            raise OptionError(
                f"soft_timeout must be less than timeout, got {self.soft_timeout!r} and {timeout!r}; leave"
                " soft_timeout out to be told at the timeout itself"
            )


def length(option: str, said: Duration | str | None) -> float | None:
    """A time in seconds, given as that, as a timedelta, or as `2d`, `90m`. Raises OptionError."""
    if isinstance(said, str):
        if (found := _LENGTH.fullmatch(said.strip())) is None:
            raise OptionError(f"{option} must read as 2d, 36h or 90m, got {said!r:.80}")
        said = float(found[1]) * _UNITS[found[2]]
    check_duration(option, said, zero=False, infinite=False)
    return None if said is None else seconds(said)


BOUND_NAMES = frozenset(Bounds.__dataclass_fields__)


def _check_said(option: str, value: object) -> None:
    if value is None:
        raise OptionError(f"{option} must not be None; leave it out for its default")
