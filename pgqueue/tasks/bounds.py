"""What a task says about its attempts: how long they may take, and what becomes of the job when they end badly."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from pgqueue.errors import OptionError
from pgqueue.options import Duration, check_choice, check_duration, check_flag, error_types
from pgqueue.retry import seconds

OnTimeout = Literal["retry", "bury", "cancel"]
OnExpiry = Literal["bury", "cancel"]
StoreLogs = Literal["debug", "info", "warning", "error", "off"]


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

    def __post_init__(self) -> None:
        check_duration("soft_timeout", self.soft_timeout, zero=False, infinite=False)
        _check_said("on_timeout", self.on_timeout)
        check_choice("on_timeout", self.on_timeout, ("retry", "bury", "cancel"))
        _check_said("on_expiry", self.on_expiry)
        check_choice("on_expiry", self.on_expiry, ("bury", "cancel"))
        _check_said("at_most_once", self.at_most_once)
        check_flag("at_most_once", self.at_most_once)
        check_choice("store_logs", self.store_logs, ("debug", "info", "warning", "error", "off"))
        object.__setattr__(self, "infra_errors", error_types("infra_errors", self.infra_errors))
        object.__setattr__(self, "expected", error_types("expected", self.expected))

    def check_against(self, timeout: Duration | None) -> None:
        """Raise OptionError if the task's `timeout` leaves no room for its soft one."""
        if timeout is not None and self.soft_timeout is not None and seconds(self.soft_timeout) >= seconds(timeout):
            raise OptionError(
                f"soft_timeout must be less than timeout, got {self.soft_timeout!r} and {timeout!r}; leave"
                " soft_timeout out to be told at the timeout itself"
            )


BOUND_NAMES = frozenset(Bounds.__dataclass_fields__)


def _check_said(option: str, value: object) -> None:
    if value is None:
        raise OptionError(f"{option} must not be None; leave it out for its default")
