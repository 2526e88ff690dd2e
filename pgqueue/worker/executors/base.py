"""The one shape that all executors have: what the claim loop may ask of them.

An executor owns claims from submit() until it has reported them or given them back. It never talks to the database;
a task's own connection is the business of the attempt.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Protocol
from uuid import UUID

from pgqueue.company import Batching
from pgqueue.context import WorkerPhase
from pgqueue.events import Finished
from pgqueue.job import Claim
from pgqueue.job_log import Said
from pgqueue.job_progress import Gauge
from pgqueue.judge import Fallback, Terms
from pgqueue.store.job_rights import JobRights
from pgqueue.tasks.modules import Modules
from pgqueue.worker.allotment import Allotment

# Called with a batch of ended attempts, from any thread; returns at once.
Report = Callable[[Sequence[Finished]], None]

# Called with the reason why this worker must hand over its jobs and end; from any thread, returns at once.
Retire = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What an executor must know to run tasks; travels to child processes.

    `modules` are those whose tasks may run, `middleware` names callables as `module:name`, outermost first. `dsn`
    is for the connections of transactional jobs. A child is replaced after `max_jobs_per_child` jobs, and when it uses
    more than `max_memory_per_child` bytes. In seconds: importing the modules may take a child `start_limit`; `grace`
    is the time between a job's notice, SIGTERM and SIGKILL, `cancel_grace` that between its cancelling and SIGTERM.
    `log` is the style and the level in which what tasks log is written; None leaves that to the application.
    `store_logs` is the level from which on it is kept with their jobs, too; None: what a task itself says holds. With
    `pass_dsn` children inherit the variables that name databases, and their passwords.
    `encryption` is the source of the keys, and whose jobs they are for; None: what the app itself says holds.
    Transactional jobs work with `job_role`, or on connections to `job_dsn`, where all jobs are at home then.
    `signing_keys` is where the keys are by which tasks sign what they enqueue, or those keys themselves.
    """

    dsn: str = field(repr=False)
    concurrency: int
    modules: Modules = Modules()  # noqa: RUF009  # frozen
    middleware: tuple[str, ...] = ()
    max_jobs_per_child: int | None = None
    max_memory_per_child: int | None = None
    start_limit: float = 120.0
    grace: float = 5.0
    cancel_grace: float = 5.0
    log: tuple[str, str] | None = None
    store_logs: str | None = None
    pass_dsn: bool = False
    encryption: tuple[str, ...] | None = field(default=None, repr=False)
    signing_keys: str | None = field(default=None, repr=False)
    job_role: str | None = None
    job_dsn: str | None = field(default=None, repr=False)

    @property
    def rights(self) -> JobRights:
        """Those of the connections that tasks are given."""
        return JobRights(self.job_role, self.job_dsn)

    @property
    def home(self) -> str:
        """Where connect() and delay() of jobs lead."""
        return self.job_dsn or self.dsn


class Lines(Protocol):
    """Where executors put what jobs say: put(), from the code of jobs, never waits; ring() is for threads of ours."""

    def put(self, said: Said) -> None:
        """Have a line kept."""

    def show(self, gauge: Gauge) -> None:
        """Have written down how far a job is; as put()."""

    def ring(self) -> None:
        """Have somebody look whether there are lines."""

    def of(self, worker: int) -> Lines:
        """Those of the jobs of this worker id: each database keeps its own."""


class NoLines:
    """Nobody keeps what jobs say."""

    def put(self, said: Said) -> None:
        """Drop it."""

    def show(self, gauge: Gauge) -> None:
        """Drop it."""

    def ring(self) -> None:
        """Nothing."""

    def of(self, worker: int) -> Lines:
        """The same."""
        return self


@dataclass(frozen=True, slots=True)
class Leftover:
    """A claim that an executor gives back unfinished; `started` is whether user code may have begun."""

    claim: Claim
    started: bool


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a job is in its own code: `stack`, or `why` there is none to show. `pid` is of the child that runs it."""

    claim: Claim
    seconds: float
    pid: int | None
    stack: str | None
    why: str | None = None


class Executor(Protocol):
    """Runs claims on `concurrency` slots; every method may be called from the claim loop and from the main thread.

    A BatchClaim takes one slot, and counts as one; what is told of it is told of each of its claims. `allotment` is
    there if others use the slots, too. Where jobs of several databases run, `of` is the worker id that claimed those
    that are meant; None: all of them.
    """

    concurrency: int
    allotment: Allotment | None

    def start(self) -> None:
        """Return once every slot can run a job. Raises AppError if the tasks' modules cannot be imported."""

    def submit(self, claims: Sequence[Claim]) -> None:
        """Take over claims, at most a few hundred; never blocks."""

    def load(self) -> int:
        """Claims taken over and not yet reported or given back: running and waiting; a batch is one."""

    def ended(self) -> int:
        """How many calls it has ended so far; that of a batch is one."""

    def enter(self, worker: int, dsn: str) -> None:
        """From now on jobs of this worker id come, which are at home in that database, beside those of others."""

    def leave(self, worker: int) -> None:
        """No more jobs of this worker id come."""

    def end(self, worker: int) -> list[Leftover]:
        """As fence(), for the jobs of this worker id alone: the others go on, and so does the executor."""

    def give_back(self, waited: float, of: int | None = None) -> list[Claim]:
        """Hand back the claims that have waited longer than `waited` seconds for a slot; none of them was started."""

    def cancel(self, ids: Collection[UUID], of: int | None = None) -> None:
        """Tell those of its jobs that they were cancelled; one that does not end is ended, where that can be done."""

    def terms(self, target: str) -> Terms | None:
        """What a task says about the ends of its attempts; None if it is not known here."""

    def targets(self) -> frozenset[str]:
        """The targets of the tasks known here; more may follow when a job imports another module."""

    def at_most_once(self) -> frozenset[str]:
        """The targets known here that may run at most once; more may follow when a job imports another module."""

    def batching(self) -> Mapping[str, Batching]:
        """How the tasks known here run jobs together, by target: those that do. Of these claims may come together."""

    def rules(self) -> frozenset[str]:
        """What the tasks known here declare of schedules and limits, each as JSON."""

    def secrecies(self) -> frozenset[tuple[str, str]]:
        """What the tasks known here call sensitive, by target; more may follow when a job imports another module."""

    def follows(self) -> frozenset[tuple[str, str]]:
        """Which jobs follow those of the tasks known here, by target; more may follow as above."""

    def fallbacks(self) -> dict[str, Fallback]:
        """What follows the tasks known here where they are lost, by target; more may follow."""

    def hooked(self) -> frozenset[tuple[str, str]]:
        """Which hooks there are where its jobs run: a name, and a target or EVERY; more may follow."""

    def watch_starts(self, begun: Callable[[Claim], None]) -> None:
        """Tell of each attempt that it has begun, from any thread; that returns at once."""

    def is_watched(self) -> bool:
        """Whether something looks on where its jobs run, and wants their headers."""

    def declared(self, targets: Collection[str], of: int | None = None) -> None:
        """The database knows of these: from the first call on, no other one that had to be declared is started."""

    def tell_phase(self, phase: WorkerPhase, of: int | None = None) -> None:
        """Tell what runs, and what follows, what the worker is about. stop() tells by itself."""

    def crash_running(self, of: int | None = None) -> None:
        """End what runs, as a crash, and go on; only child processes can be ended."""

    def stop(self, timeout: float) -> list[Leftover]:
        """Let running jobs finish for `timeout` seconds, end the rest, and return what was not reported.

        Waiting claims are never started. Returns when no slot runs user code any more (threads cannot be ended: what
        they still run comes back as started). What may run at most once and had begun is reported as lost, not
        returned. May be called twice.
        """

    def fence(self) -> list[Leftover]:
        """As stop(0), without notice: the lease is almost gone, and another worker may have the jobs in a moment."""

    def running(self) -> list[tuple[Claim, float]]:
        """What runs, and for how many seconds already: for people."""

    def whereabouts(self) -> list[Whereabouts]:
        """Where what runs is in its code; takes a second at most. For people."""

    def pids(self) -> list[int]:
        """The processes that run its jobs; none if this one does: for people."""

    def kill(self) -> None:
        """End all running user code at once, as far as the kind of executor can; nothing more is reported."""


def take_old(waiting: deque[tuple[Claim, float]], waited: float, of: int | None = None) -> list[Claim]:
    """Take the claims out of `waiting` that came more than `waited` seconds ago (monotonic), oldest first.

    Others may take from the same end meanwhile: each popleft() is atomic. `of` as in Executor.
    """
    latest = monotonic() - waited
    if of is not None:
        return [
            entry[0]
            for entry in tuple(waiting)
            if entry[0].worker == of and entry[1] <= latest and _took(waiting, entry)
        ]
    old: list[Claim] = []
    with suppress(IndexError):
        while waiting[0][1] <= latest:
            old.append(waiting.popleft()[0])
    return old


def _took(waiting: deque[tuple[Claim, float]], entry: tuple[Claim, float]) -> bool:
    """Take this one out, unless somebody else has."""
    with suppress(ValueError):
        waiting.remove(entry)
        return True
    return False
