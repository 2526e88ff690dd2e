"""The options of `apply_async(...)`, in our words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pgqueue.compat.celery.settings import Settings
from pgqueue.compat.ids import job_id_of
from pgqueue.errors import OptionError
from pgqueue.options import Duration
from pgqueue.retry import seconds

_MOOT = (
    "add_to_parent", "argsrepr", "compression", "delivery_mode", "immutable", "kwargsrepr", "mandatory", "persistent",
    "reply_to", "serializer", "trailer_request",
)  # fmt: skip
_ELSEWHERE: Mapping[str, str] = {
    "chain": "write chain(...), or task.s(...) | task.s(...)",
    "chord": "write chord(header, callback)",
    "exchange": "say queue",
    "group_id": "write group(...)",
    "headers": "say labels, a mapping of texts to texts",
    "parent_id": "a job knows which one brought it: pgqueue.tree(conn, job_id)",
    "producer": "say connection=conn, a connection to the database",
    "publisher": "say connection=conn, a connection to the database",
    "root_id": "a job knows which one brought it: pgqueue.tree(conn, job_id)",
    "router": "say queue",
    "routing_key": "say queue",
    "shadow": "a task is named by its module and function",
    "soft_time_limit": "say it in @app.task(...)",
    "stamped_headers": "say labels, a mapping of texts to texts",
}


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a call on a connection of its own tries again to reach the database, and how many seconds it waits."""

    max_retries: int | None = 3
    interval_start: float = 0.0
    interval_step: float = 0.2
    interval_max: float = 0.2

    def wait(self, failures: int) -> float | None:
        """Seconds until the next try, None if there is none."""
        if self.max_retries is not None and failures > self.max_retries:
            return None
        return min(self.interval_max, self.interval_start + self.interval_step * (failures - 1))


@dataclass(frozen=True, slots=True)
class CallOptions:
    """What apply_async(...) said: options of the job in our words, and what is about the call.

    `link` and `link_error` are signatures; `policy` is None if the database is not to be tried again.
    """

    ours: dict[str, Any]
    link: list[Any] = field(default_factory=list)
    link_error: list[Any] = field(default_factory=list)
    connection: Any = None
    policy: RetryPolicy | None = None


def call_options(said: Mapping[str, Any], conf: Settings) -> CallOptions:
    """What was said of a call. Raises OptionError.

    What is no word of Celery's is ours, and goes on to pgqueue.enqueue().
    """
    given = dict(said)
    for option, advice in _ELSEWHERE.items():
        if given.pop(option, None):
            raise OptionError(f"apply_async(...) takes no {option} here: {advice}")
    for option in _MOOT:
        given.pop(option, None)
    connection, policy = given.pop("connection", None), given.pop("retry_policy", None)
    wants_retry = given.pop("retry", True)
    link, link_error = as_list(given.pop("link", None)), as_list(given.pop("link_error", None))
    ours = _when(given, conf)
    ignored = given.pop("ignore_result", None)
    if ignored is not None:
        ours["store_result"] = not ignored
    if (task_id := given.pop("task_id", None)) is not None:
        ours["job_id"] = job_id_of(str(task_id))
    if "time_limit" in given:
        limit = given.pop("time_limit")
        ours["timeout"] = math.inf if limit is None else limit
    return CallOptions({**ours, **given}, link, link_error, connection, _policy(policy) if wants_retry else None)


def as_list(said: Any) -> list[Any]:
    """One, or those of a list; None is none."""
    if said is None:
        return []
    return list(said) if isinstance(said, list | tuple | set) else [said]


def seconds_until(moment: datetime, conf: Settings) -> float:
    """From now on, by the clock of this machine."""
    return (conf.aware(moment) - datetime.now(UTC)).total_seconds()


def _when(given: dict[str, Any], conf: Settings) -> dict[str, Any]:
    """When the job may begin, and when not any more: Celery counts `expires` from the call, and ttl from there on."""
    countdown, eta, expires = (given.pop(name, None) for name in ("countdown", "eta", "expires"))
    ours: dict[str, Any] = {}
    due = 0.0
    if countdown is not None:
        due = ours["delay"] = max(0.0, seconds(countdown))
    elif eta is not None:
        ours["run_at"] = conf.aware(eta)
        due = max(0.0, seconds_until(eta, conf))
    if expires is not None:
        ours["ttl"] = _ttl(expires, due, conf)
    return ours


def _ttl(expires: Duration | datetime, due: float, conf: Settings) -> float:
    last = seconds_until(expires, conf) if isinstance(expires, datetime) else seconds(expires)
    if last <= due:
        raise OptionError(f"expires must be later than the job falls due, in {due:g} s, got {expires!r}")
    return last - due


def _policy(said: Any) -> RetryPolicy:
    if said is None:
        return RetryPolicy()
    if not isinstance(said, Mapping):
        raise OptionError(f"retry_policy must be a mapping, got {said!r:.80}")
    known = set(RetryPolicy.__dataclass_fields__)
    if unknown := sorted(said.keys() - known - {"retry_errors"}):
        raise OptionError(
            f"retry_policy takes {', '.join(sorted(known))}, got {', '.join(unknown)}; it is about reaching the"
            " database: how a task that fails is retried stands in @app.task(autoretry_for=...)"
        )
    return RetryPolicy(**{name: value for name, value in said.items() if name in known})
