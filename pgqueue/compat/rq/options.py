"""The options of `queue.enqueue(...)`, in our words."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from pgqueue.compat.ids import job_id_of
from pgqueue.compat.rq.dependency import Dependency
from pgqueue.errors import OptionError
from pgqueue.job import NewJob
from pgqueue.retry import seconds
from pgqueue.tasks import target_of

# A result is kept for a day.
LONGEST_RESULT = 86_400.0
FRONT = 9
OWN_TASKS = "pgqueue.compat.rq.own_tasks"
# Of a callback, as in RQ.
CALLBACK_SECONDS = 60.0
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
# What enqueue() takes beside the arguments of the function.
NAMES = (
    "at_front", "depends_on", "description", "failure_ttl", "job_id", "job_timeout", "meta", "on_failure", "on_stopped",
    "on_success", "pipeline", "rate_limit", "repeat", "result_ttl", "retry", "ttl", "unique", "webhooks",
)  # fmt: skip
_ELSEWHERE: Mapping[str, str] = {
    "pipeline": "say Queue(connection=conn): what is enqueued there commits with that transaction",
    "rate_limit": "say pgqueue.set_limit(conn, 'key', key, concurrency=2), and enqueue with limit_key",
    "webhooks": "have a pgqueue.http_task() follow: @pgqueue.task(on_success=...)",
}


@dataclass(frozen=True, slots=True)
class Retry:
    """Run a job that fails up to `max` times more, after `interval` seconds: one number, or one for each time."""

    max: int
    interval: float | Iterable[float] = 0
    enqueue_at_front: bool = False

    def waits(self) -> list[float]:
        """The seconds before each retry; the last one repeats."""
        if not isinstance(self.max, int) or self.max < 1:
            raise OptionError(f"Retry(max=...) must be 1 or more, got {self.max!r}")
        return waits_of("interval", self.interval)


@dataclass(frozen=True, slots=True)
class Repeat:
    """Run a job that succeeds `times` times more, `interval` seconds later: one number, or one for each time."""

    times: int
    interval: float | Iterable[float] = 0

    def waits(self) -> list[float]:
        """The seconds before each; the last one repeats."""
        if not isinstance(self.times, int) or self.times < 1:
            raise OptionError(f"Repeat(times=...) must be 1 or more, got {self.times!r}")
        return waits_of("interval", self.interval)


@dataclass(frozen=True, slots=True)
class Callback:
    """A function that is told of a job's end, by itself or its name, and how many seconds it may take."""

    func: Callable[..., Any] | str
    timeout: Any = CALLBACK_SECONDS


@dataclass(frozen=True, slots=True)
class Said:
    """What was said of a job: options in our words; what its retries wait, its repeats, and what it waits for."""

    ours: dict[str, Any]
    waits: list[float] = field(default_factory=list)
    repeat: Repeat | None = None
    dependency: Dependency | None = None
    unique: bool = False


def said_of(given: Mapping[str, Any], default_timeout: Any = None) -> Said:
    """What was said of a job. Raises OptionError."""
    for option, advice in _ELSEWHERE.items():
        if given.get(option):
            raise OptionError(f"enqueue() takes no {option} here: {advice}")
    retry, repeat, front = given.get("retry"), given.get("repeat"), given.get("at_front")
    ours: dict[str, Any] = {"max_attempts": 1, "store_result": _is_kept(given.get("result_ttl"))}
    if retry is not None:
        ours["max_attempts"] = retry.max + 1
    if front:
        ours["priority"] = FRONT
    if (timeout := given.get("job_timeout") or default_timeout) is not None:
        ours["timeout"] = duration_of("job_timeout", timeout)
    if given.get("ttl") is not None:
        ours["ttl"] = duration_of("ttl", given["ttl"])
    if given.get("job_id") is not None:
        ours["job_id"] = job_id_of(str(given["job_id"]))
    if labels := _labels(given):
        ours["labels"] = labels
    ours |= _callbacks(given)
    return Said(
        ours,
        [] if retry is None else retry.waits(),
        repeat,
        Dependency.of(given.get("depends_on")),
        bool(given.get("unique")),
    )


def duration_of(option: str, said: Any) -> float:
    """Seconds, given as that, as a timedelta, or as RQ's texts: `180`, `3m`, `1h`; -1 is no end."""
    if isinstance(said, str):
        found = re.fullmatch(r"\s*(-?\d+(?:\.\d+)?)\s*([smhd]?)\s*", said)
        if found is None:
            raise OptionError(f"{option} must read as 180, 3m or 1h, got {said!r:.80}")
        said = float(found[1]) * _UNITS[found[2]]
    if not isinstance(said, int | float | timedelta):
        raise OptionError(f"{option} must be seconds, a timedelta or a text such as 3m, got {said!r:.80}")
    length = seconds(said)
    return math.inf if length == -1 and option == "job_timeout" else length


def waits_of(option: str, said: Any) -> list[float]:
    """One wait, or several, in seconds."""
    several = list(said) if isinstance(said, Iterable) and not isinstance(said, str) else [said]
    if not several:
        raise OptionError(f"{option} must be seconds, or a list of them, got an empty list")
    return [max(0.0, duration_of(option, each)) for each in several]


def _is_kept(result_ttl: Any) -> bool:
    if result_ttl is None:
        return True
    length = duration_of("result_ttl", result_ttl)
    if length < 0 or length > LONGEST_RESULT:
        raise OptionError(
            f"result_ttl is a day at most here, got {result_ttl!r}; keep in a table of yours what is to last longer"
        )
    return length > 0


def _labels(given: Mapping[str, Any]) -> dict[str, str]:
    labels: dict[str, str] = {}
    if given.get("description"):
        labels["description"] = str(given["description"])
    for name, value in (given.get("meta") or {}).items():
        if not isinstance(value, str):
            raise OptionError(f"meta is kept as labels here, which are texts, got meta[{name!r}] = {value!r:.80}")
        labels[name] = value
    return labels


def _callbacks(given: Mapping[str, Any]) -> dict[str, Any]:
    """Who is told of the end, as jobs that follow it."""
    # A job that was stopped has ended cancelled, of which on_end is told, too.
    places = {"on_success": "on_success", "on_failure": "on_failure", "on_stopped": "on_end"}
    found: dict[str, Any] = {}
    for option, place in places.items():
        said = given.get(option)
        if said is None:
            continue
        callback = said if isinstance(said, Callback) else Callback(said)
        found[place] = NewJob(
            f"{OWN_TASKS}:call_back",
            {"function": name_of(callback.func), "how": option},
            timeout=duration_of("timeout", callback.timeout or CALLBACK_SECONDS),
            max_attempts=1,
        )
    return found


def name_of(function: Any) -> str:
    """The target of a function, or of RQ's name for it, `package.module.function`. Raises TargetError."""
    if isinstance(function, str) and ":" not in function:
        module, dot, name = function.rpartition(".")
        return target_of(f"{module}:{name}" if dot else function)
    return target_of(function)
