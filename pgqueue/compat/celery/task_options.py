"""The options of `@app.task(...)`, in our words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from pgqueue.compat.celery.settings import Settings
from pgqueue.errors import OptionError, SoftTimeout
from pgqueue.options import error_types
from pgqueue.retry import Backoff, Fixed, RetryPolicy
from pgqueue.tasks.bounds import MOST_ATTEMPTS

# As Celery has them: seconds until a retry, and how many of them.
RETRY_DELAY, MAX_RETRIES, LONGEST_BACKOFF = 180.0, 3, 600.0
# Nothing is lost by them.
_MOOT = (
    "acks_on_failure_or_timeout", "backend", "compression", "lazy", "reject_on_worker_lost", "resultrepr_maxsize",
    "send_events", "serializer", "shared", "store_errors_even_if_ignored", "track_started", "trail", "typing",
)  # fmt: skip
_ELSEWHERE: Mapping[str, str] = {
    "base": "a task is a function; what its class did before or after it is a hook: @pgqueue.hooks.on_dead and others",
    "exchange": "say queue",
    "filter": "decorate the function below @app.task",
    "on_bound": "call what you need behind the task",
    "pydantic": "annotate the parameters: arguments are read by their annotations",
    "routing_key": "say queue",
}
_PER_SECOND = "s"


@dataclass(frozen=True, slots=True)
class Retrying:
    """How often a task is run again, and after how many seconds, where it asks for that itself; None: for ever."""

    max_retries: int | None
    delay: float


class TaskOptions(NamedTuple):
    """What @app.task(...) said: for pgqueue.task(), for itself, and whether results are kept; None: as the app says."""

    ours: dict[str, Any]
    policy: RetryPolicy
    retrying: Retrying
    store_result: bool | None


def task_options(name: str, said: Mapping[str, Any], conf: Settings) -> TaskOptions:
    """What was said of a task, and by `task_annotations` of the app. Raises OptionError.

    What is no word of Celery's is ours, and goes on to pgqueue.task().
    """
    given = {**said, **conf.annotations_of(name)}
    for option, advice in _ELSEWHERE.items():
        if given.pop(option, None):
            raise OptionError(f"{name}: @app.task(...) takes no {option} here: {advice}")
    for option in _MOOT:
        given.pop(option, None)
    policy, retrying = _retrying(given)
    ours = _times(given, conf, policy) | _ends(name, given, conf, policy)
    ignored, expires = given.pop("ignore_result", None), given.pop("expires", None)
    rate = given.pop("rate_limit", conf["task_default_rate_limit"])
    ours |= {
        "max_attempts": MOST_ATTEMPTS if retrying.max_retries is None else min(retrying.max_retries + 1, MOST_ATTEMPTS),
        "on_expiry": "cancel",
        **({"rate": _rate(rate)} if rate else {}),
        **({"ttl": expires} if expires is not None else {}),
    }
    return TaskOptions({**ours, **given}, policy, retrying, None if ignored is None else not ignored)


def _retrying(given: dict[str, Any]) -> tuple[RetryPolicy, Retrying]:
    """Which errors are retried, and when; without autoretry_for none, but where the task asks for it."""
    kinds = error_types("autoretry_for", given.pop("autoretry_for", None) or ())
    not_on = error_types("dont_autoretry_for", given.pop("dont_autoretry_for", None) or ())
    more = dict(given.pop("retry_kwargs", None) or {})
    delay = float(more.pop("countdown", given.pop("default_retry_delay", RETRY_DELAY)))
    most = more.pop("max_retries", given.pop("max_retries", MAX_RETRIES))
    backoff, cap = given.pop("retry_backoff", False), given.pop("retry_backoff_max", LONGEST_BACKOFF)
    jitter = 1.0 if given.pop("retry_jitter", True) else 0.0
    if more:
        raise OptionError(f"retry_kwargs takes countdown and max_retries, got {', '.join(map(str, sorted(more)))}")
    if backoff:
        first = 1.0 if backoff is True else float(backoff)
        policy: RetryPolicy = Backoff(first=first, factor=2, cap=cap, jitter=jitter, on=kinds, not_on=not_on)
    else:
        policy = Fixed(every=delay, jitter=0.0, on=kinds, not_on=not_on)
    return policy, Retrying(most, delay)


def _times(given: dict[str, Any], conf: Settings, policy: RetryPolicy) -> dict[str, Any]:
    ours: dict[str, Any] = {}
    if "time_limit" in given:
        limit = given.pop("time_limit")
        ours["timeout"] = math.inf if limit is None else limit
    soft = given.pop("soft_time_limit", conf["task_soft_time_limit"])
    if soft is not None:
        ours["soft_timeout"] = soft
    # Over time is a failure like others: retried if errors of its kind are.
    ours["on_timeout"] = "retry" if policy.retries(SoftTimeout()) else "bury"
    return ours


def _ends(name: str, given: dict[str, Any], conf: Settings, policy: RetryPolicy) -> dict[str, Any]:
    late = given.pop("acks_late", conf["task_acks_late"])
    throws = given.pop("throws", None)
    ours: dict[str, Any] = {"expected": error_types("throws", throws)} if throws else {}
    # Every job is acknowledged late; only who says otherwise wants it never twice.
    if late is False:
        if policy.on:
            raise OptionError(
                f"{name}: acks_late=False is at_most_once=True here, which retries no error; leave acks_late or"
                " autoretry_for out"
            )
        ours["at_most_once"] = True
    return ours


def _rate(said: Any) -> str:
    """`10/m` as it is; a number is so many a second."""
    return str(said) if isinstance(said, str) and "/" in said else f"{int(said)}/{_PER_SECOND}"
