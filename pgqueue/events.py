"""What an observer can hear. An observer is any callable that takes an event; logging is one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic, time
from typing import NamedTuple

from pgqueue.job import Claim
from pgqueue.outcome import Move, Settlement


class Finished(NamedTuple):
    """One ended attempt, as its executor reports it: the claim, what is to be written, and the seconds it took.

    `ended` is when it did, by this process's monotonic clock; 0 if it never began.
    """

    claim: Claim
    settlement: Settlement
    elapsed: float
    ended: float = 0.0

    def waited(self, shift: float) -> float | None:
        """For how many seconds the job was due before this began; None if it never did. `shift` is its event's."""
        return max(0.0, self.ended - self.elapsed + shift - self.claim.run_at.timestamp()) if self.ended else None


class Begun(NamedTuple):
    """An attempt that has begun."""

    claim: Claim


_SUCCEED = Move.SUCCEED


def succeeded(claim: Claim, elapsed: float, ended: float | None = None, result: str | None = None) -> Finished:
    """One that succeeded, now if nothing else is said, and by far the most.

    Made as Finished() and Settlement() make it, at half their cost.
    """
    done = (
        claim.id,
        claim.claim,
        _SUCCEED,
        "succeeded",
        0.0,
        None,
        None,
        None,
        None,
        result,
        True,
        False,
        None,
        None,
        False,
        None,
        None,
    )
    return tuple.__new__(Finished, (claim, tuple.__new__(Settlement, done), elapsed, ended or monotonic()))


@dataclass(frozen=True, slots=True)
class WorkerStarted:
    """The worker is registered and begins to claim; `doubts` are what may be wrong with what it was told.

    Of several databases it tells for each, and `database` says which; so does WorkerStopping.
    """

    worker: int
    queues: Sequence[str]
    executor: str
    concurrency: int
    tasks: Sequence[str] = ()
    doubts: Sequence[str] = ()
    database: str = ""


@dataclass(frozen=True, slots=True)
class WorkerStopping:
    """The worker claims no more; `why` says who asked, `exit_code` with which code it means to end."""

    worker: int
    why: str
    exit_code: int = 0
    database: str = ""


@dataclass(frozen=True, slots=True)
class OrderHeard:
    """Somebody asked the running worker for something: `order` is quiet, resume, kill or dump, `by` says how."""

    worker: int
    order: str
    by: str


@dataclass(frozen=True, slots=True)
class WorkerDumped:
    """The state of a worker at one moment, for people: a summary, a job a line, a thread with its stack a line."""

    worker: int
    summary: Mapping[str, object]
    jobs: Sequence[Mapping[str, object]]
    threads: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class WorkerStopped:
    """The worker has ended, with the exit code that its process will have."""

    worker: int
    exit_code: int


@dataclass(frozen=True, slots=True)
class AttemptsFinished:
    """A batch of attempts whose outcome the database has acknowledged.

    `at` is when that was by the database's clock, None if it did not say, and `asked` by this process's monotonic one.
    """

    batch: Sequence[Finished]
    at: datetime | None = None
    asked: float = 0.0

    @property
    def shift(self) -> float:
        """What makes this process's monotonic time that of the database, as seconds since 1970; else this machine's."""
        return time() - monotonic() if self.at is None else self.at.timestamp() - self.asked

    @property
    def others(self) -> list[Finished]:
        """Those that did not succeed: few of many."""
        return [done for done in self.batch if done.settlement.move not in (Move.SUCCEED, Move.BRING)]


@dataclass(frozen=True, slots=True)
class AttemptsLate:
    """Attempts whose lease was gone when they wanted to settle: recorded as late, nothing else changed."""

    batch: Sequence[Finished]


@dataclass(frozen=True, slots=True)
class LeasesReaped:
    """Jobs taken back from workers whose lease had expired."""

    workers: Sequence[int]
    jobs: int


@dataclass(frozen=True, slots=True)
class DatabaseLost:
    """A role cannot work and tries again; sent once per outage and then once a period.

    It lost its connection, or the database `refused` what was asked, as one does whose disk is full.
    """

    role: str
    error: str
    seconds: float
    refused: bool = False


@dataclass(frozen=True, slots=True)
class DatabaseBack:
    """A role can work again after `seconds` in which it could not."""

    role: str
    seconds: float


@dataclass(frozen=True, slots=True)
class HostFailed:
    """A role could not work, because this machine has run out of something: `lack` says of what."""

    role: str
    lack: str


@dataclass(frozen=True, slots=True)
class ChildEnded:
    """A child process ended that was not asked to; `how` names its exit code or signal."""

    pid: int
    how: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """A role met an error that it survives; `hint` says what a human may do."""

    role: str
    error: str
    hint: str = ""


Event = (
    WorkerStarted
    | WorkerStopping
    | WorkerStopped
    | OrderHeard
    | WorkerDumped
    | AttemptsFinished
    | AttemptsLate
    | LeasesReaped
    | DatabaseLost
    | DatabaseBack
    | HostFailed
    | ChildEnded
    | Trouble
)

Observer = Callable[[Event], None]
