"""What a task says about its attempts: how long they may take, and what becomes of the job when they end badly."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from pgqueue.errors import OptionError
from pgqueue.options import Duration, check_duration

OnTimeout = Literal["retry", "bury", "cancel"]
OnExpiry = Literal["bury", "cancel"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Options that stay with the task: no job carries them, the worker looks them up."""

    soft_timeout: Duration | None = None
    on_timeout: OnTimeout = "retry"
    on_expiry: OnExpiry = "bury"
    at_most_once: bool = False
    infra_errors: tuple[type[BaseException], ...] = ()

    def __post_init__(self) -> None:
        check_duration("soft_timeout", self.soft_timeout, zero=False, infinite=False)
        _check_choice("on_timeout", self.on_timeout, ("retry", "bury", "cancel"))
        _check_choice("on_expiry", self.on_expiry, ("bury", "cancel"))
        if not isinstance(self.at_most_once, bool):
            raise OptionError(f"at_most_once must be True or False, got {self.at_most_once!r:.80}")
        _check_errors(self.infra_errors)

    def check_against(self, timeout: Duration | None) -> None:
        """Raise OptionError if the task's `timeout` leaves no room for its soft one."""
        if timeout is not None and self.soft_timeout is not None and _length(self.soft_timeout) >= _length(timeout):
            raise OptionError(
                f"soft_timeout must be less than timeout, got {self.soft_timeout!r} and {timeout!r}; leave"
                " soft_timeout out to be told at the timeout itself"
            )


BOUND_NAMES = frozenset(Bounds.__dataclass_fields__)


def _check_choice(option: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise OptionError(f"{option} must be one of {', '.join(choices)}, got {value!r:.80}")


def _check_errors(kinds: object) -> None:
    if isinstance(kinds, type):
        raise OptionError(f"infra_errors must be a tuple of error types, got {kinds!r}; write ({kinds.__name__},)")
    if not isinstance(kinds, tuple) or not all(isinstance(k, type) and issubclass(k, BaseException) for k in kinds):
        raise OptionError(f"infra_errors must be a tuple of error types such as (ConnectionError,), got {kinds!r:.80}")


def _length(value: Duration) -> float:
    return value.total_seconds() if isinstance(value, timedelta) else value
