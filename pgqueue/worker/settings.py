"""How a worker works, as values; the checks say what is wrong with one, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Self

from pgqueue import signing
from pgqueue.errors import KeyringError, OptionError
from pgqueue.keyring import KeySource
from pgqueue.options import Duration, check_choice, check_duration, check_flag, check_integer, check_number
from pgqueue.retry import seconds
from pgqueue.worker.executors import EXECUTORS
from pgqueue.worker.executors.base import Settings
from pgqueue.worker.selection import Selection, select

# More than this of anything is a slip of the pen.
_MANY = 1_000_000


@dataclass(frozen=True, slots=True)
class Signed:
    """In which queues nothing runs but what is signed, and with whose keys."""

    queues: Selection
    keys: KeySource

    @classmethod
    def required(cls, said: bool | Sequence[str]) -> Self | None:
        """What `require_signature` says: all queues, or those named; None: none. Raises KeyringError, OptionError."""
        if said is False:
            return None
        queues = select(None if said is True else names("require_signature", said), ())
        if (signer := signing.signer()) is None:
            raise KeyringError(
                "to require signatures, a worker needs the keys that they are made with, or the public halves of those:"
                " set PGQUEUE_SIGNING_KEYS to file:/path, env:NAME or command:program, or call pgqueue.sign_with()"
            )
        return cls(queues, signer.source)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """The meaning of each is told by Worker. Raises OptionError for a value out of its range."""

    dsn: str = field(repr=False)
    queues: Selection
    executor: Literal["process", "thread", "async"]
    tasks: Settings
    burst: bool
    poll: float
    lease: float
    shutdown_timeout: float
    listen_dsn: str | None = field(repr=False)
    poll_only: bool
    infra_limit: int
    infra_minutes: float
    keep_unknown: float
    ageing: float | None
    signed: Signed | None = None

    def __post_init__(self) -> None:
        check_choice("executor", self.executor, tuple(EXECUTORS))
        check_flag("burst", self.burst)
        check_flag("poll_only", self.poll_only)
        _check_children(self.executor, self.tasks)
        if self.lease < 1:
            raise OptionError(f"lease must be 1 second or more, got {self.lease}")
        check_integer("infra_limit", self.infra_limit, 1, _MANY)
        check_number("infra_minutes", self.infra_minutes, 0.001, _MANY)
        if self.poll_only and self.listen_dsn is not None:
            raise OptionError("poll_only listens to nothing, so listen_dsn has no use; give one of them")


def names(option: str, given: Sequence[str]) -> tuple[str, ...]:
    """A list of names; raises OptionError for a text, whose letters would be taken for names."""
    if isinstance(given, str):
        raise OptionError(f"{option} must be a list of names, got {given!r}; write [{given!r}]")
    return tuple(given)


def length(option: str, given: Duration, *, zero: bool = False) -> float:
    """A time in seconds, which may be given as a timedelta. Raises OptionError."""
    if given is None:
        raise OptionError(f"{option} must be seconds or a timedelta, got None")
    check_duration(option, given, zero=zero, infinite=False)
    return seconds(given)


def _check_children(executor: str, tasks: Settings) -> None:
    check_integer("concurrency", tasks.concurrency, 1, _MANY)
    for option, value in (
        ("max_jobs_per_child", tasks.max_jobs_per_child),
        ("max_memory_per_child", tasks.max_memory_per_child),
    ):
        check_integer(option, value, 1, 2**63 - 1)
        if value is not None and executor != "process":
            raise OptionError(f"{option} is for children, and the executor {executor} has none; use process")
