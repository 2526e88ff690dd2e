"""A job that waits, as a test sees it; and whether it is one that the test expects."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from types import EllipsisType
from typing import Any, Self
from uuid import UUID

from pgqueue.codec import encode
from pgqueue.encryption import decrypted_args
from pgqueue.errors import ArgumentError, CodecError
from pgqueue.exact_json import written
from pgqueue.options import Duration
from pgqueue.redaction import Redaction
from pgqueue.retry import seconds
from pgqueue.sealing import opened
from pgqueue.secrecy import Secrecy
from pgqueue.store.unclaimed import Unclaimed
from pgqueue.tasks import Task, registered

# Seconds by which an expected delay may be off: clocks are read more than once on the way.
SLACK = 0.05


@dataclass(frozen=True, slots=True, repr=False)
class Waiting:
    """A job that is enqueued and has no worker. `args` is the list or dict as a worker reads it.

    `due_in` are seconds, 0 or less if it is due; `attempt` is how often it was tried.
    """

    id: UUID
    target: str
    queue: str
    args: list[Any] | dict[str, Any]
    priority: int
    attempt: int
    run_at: datetime
    due_in: float = field(compare=False)
    unique_key: str | None
    limit_key: str | None
    labels: Mapping[str, str]
    _row: Unclaimed = field(compare=False)

    @classmethod
    def of(cls, row: Unclaimed) -> Self:
        """The job of a row."""
        return cls(
            row.id,
            row.target,
            row.queue,
            _read(row.args, row.id, row.target),
            row.priority,
            row.attempt,
            row.run_at,
            row.due_in,
            row.unique_key,
            row.limit_key,
            row.labels,
            row,
        )

    def __repr__(self) -> str:
        return f"<Waiting {self.id} {self}>"

    def __str__(self) -> str:
        said = [f"{self.target} {_shown(self.target, self._row.args)}"]
        if self.queue != "default":
            said.append(f"queue={self.queue!r}")
        if self.due_in > SLACK:
            said.append(f"due in {self.due_in:.0f} s")
        for name in ("unique_key", "limit_key"):
            if (value := getattr(self, name)) is not None:
                said.append(f"{name}={value!r}")
        if self.labels:
            said.append(f"labels={dict(self.labels)!r}")
        return ", ".join(said)

    @property
    def delays(self) -> tuple[float, float]:
        """Between how many seconds the delay was that it was enqueued with."""
        since_begin = (self.run_at - self._row.created_at).total_seconds()
        return min(self.due_in, since_begin) - SLACK, max(self.due_in, since_begin) + SLACK


@dataclass(frozen=True, slots=True)
class Expected:
    """What a test says of a job; what it leaves out may be anything."""

    args: Any = ...
    queue: str | None = None
    priority: int | None = None
    delay: Duration | tuple[Duration, Duration] | None = None
    run_at: datetime | None = None
    unique_key: str | None = None
    limit_key: str | None = None
    labels: Mapping[str, str] | None = None

    def differences(self, job: Waiting) -> list[str]:
        """How a job differs from it, in words; empty if it does not."""
        found = [] if self.args is ... else _args_apart(self.args, job)
        for name in ("queue", "priority", "run_at", "unique_key", "limit_key"):
            wanted, got = getattr(self, name), getattr(job, name)
            if wanted is not None and wanted != got:
                found.append(f"{name}: expected {wanted!r}, got {got!r}")
        if self.delay is not None and not self._fits_delay(job.delays):
            found.append(f"delay: expected {self.delay!r}, got {_span(job.delays)}")
        for name, value in (self.labels or {}).items():
            if job.labels.get(name) != value:
                found.append(f"labels[{name!r}]: expected {value!r}, got {job.labels.get(name)!r}")
        return found

    def _fits_delay(self, delays: tuple[float, float]) -> bool:
        wanted = self.delay if isinstance(self.delay, tuple) else (self.delay, self.delay)
        low, high = (seconds(each) for each in wanted)  # type: ignore[arg-type]  # asked only where it is said
        return delays[0] <= high and low <= delays[1]


def _read(text: str, job_id: UUID, target: str) -> Any:
    """Arguments as JSON has them, decrypted and without their codec where key and codec are known here."""
    value = json.loads(text)
    with suppress(CodecError):
        return opened(decrypted_args(value, job_id, target))
    return value


def _args_apart(wanted: Any, job: Waiting) -> list[str]:
    task = registered(job.target)
    expected, got = _by_name(task, [] if wanted is None else wanted), _by_name(task, opened(job.args))
    found = list(_apart(expected, got, "args"))
    if found and _hides(job):
        return [f"{path} differs (the task has sensitive arguments)" for path, _ in found]
    return [f"{path}: {how}" for path, how in found]


def _apart(wanted: Any, got: Any, path: str) -> list[tuple[str, str]]:
    """Where two values differ, and how; `...` fits anything."""
    if isinstance(wanted, EllipsisType):
        return []
    if isinstance(wanted, Mapping) and isinstance(got, dict):
        missing = [
            (f"{path}.{name}", f"expected {wanted[name]!r:.200}, not given") for name in wanted if name not in got
        ]
        more = [(f"{path}.{name}", f"not expected, got {got[name]!r:.200}") for name in got if name not in wanted]
        inside = [each for name in wanted if name in got for each in _apart(wanted[name], got[name], f"{path}.{name}")]
        return [*inside, *missing, *more]
    if isinstance(wanted, list | tuple) and isinstance(got, list | tuple) and len(wanted) == len(got):
        pairs = enumerate(zip(wanted, got, strict=True))
        return [each for place, (one, other) in pairs for each in _apart(one, other, f"{path}[{place}]")]
    return [] if wanted == got or _travelled(wanted) == got else [(path, f"expected {wanted!r:.200}, got {got!r:.200}")]


def _travelled(value: Any) -> Any:
    """The value as it arrives after its way through JSON; what cannot travel equals nothing."""
    try:
        return json.loads(encode(value, "args"))
    except ArgumentError:
        return value


def _by_name(task: Task[..., Any] | None, args: Any) -> Any:
    """Arguments by the names of parameters, where the task is known here and takes them."""
    positional = args if isinstance(args, Sequence) and not isinstance(args, str) else ()
    named = args if isinstance(args, Mapping) else {}
    if task is None or task.misfit(positional, named):
        return args
    return task.filled(positional, named)


def _hides(job: Waiting) -> bool:
    """Whether arguments of it are not to be shown."""
    return not _redaction(job.target).of_args(job.target, job._row.args).is_whole


def _shown(target: str, args: str) -> str:
    """Arguments as they may be shown, in one line."""
    redacted = _redaction(target).of_args(target, args)
    return f"{written(redacted.value, None) if redacted.is_readable else redacted.text:.300}"


def _redaction(target: str) -> Redaction:
    task = registered(target)
    secrecy: Secrecy | None = None if task is None else task.secrecy
    return Redaction(declared={} if secrecy is None else {target: (secrecy,)})


def _span(delays: tuple[float, float]) -> str:
    low, high = (max(0.0, each) for each in delays)
    return f"{high:.1f} s" if high - low < 1 else f"{low:.1f} to {high:.1f} s"
