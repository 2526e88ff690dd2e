"""What code can know about where it runs: the current job, and the connection bound for `Task.delay()`."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any, Literal, Protocol, Unpack, overload
from uuid import UUID

from pgqueue.brings import Brings
from pgqueue.call_options import CallOptions
from pgqueue.codec import encode
from pgqueue.enqueued import Enqueued
from pgqueue.errors import LeaseLost, UsageError
from pgqueue.job import Args, Claim, NewJob, Target
from pgqueue.job_log import JobLog, Outlet
from pgqueue.leaving_out import without
from pgqueue.ledger import KEEP, SCOPE, WAIT, Once, OnUnknown, Outside, Terms, Within
from pgqueue.options import Duration, check_choice, check_duration
from pgqueue.redaction import secrets_of
from pgqueue.retry import seconds
from pgqueue.secrecy import Secrecy
from pgqueue.store import execute, jobs
from pgqueue.store.connection import AnyConnection, AsyncConnection, SyncConnection, is_async
from pgqueue.store.effects import Holder
from pgqueue.store.line import Line


class JobContext:
    """The attempt that is running: what it is called with, and how long it may take.

    `args` is the list or dict that was enqueued. `deadline` is the time.monotonic() at which its timeout ends, None
    if it has none. `late` is whether complete() found the lease gone.
    """

    # Set on few: what stands here costs the others nothing.
    late = False
    _cancelled = False
    # Made when somebody waits.
    _told: threading.Event | None = None
    # Asked for by few: in a tuple once they are known, as far as they can be.
    _secrets: tuple[frozenset[str] | None] | None = None
    # Where its lines go, if whoever runs it keeps them; and made with the first of them.
    _outlet: Outlet | None = None
    _log: JobLog | None = None
    # Its way to the database, if whoever runs it has one.
    _line: Line | None = None
    # What it is doing once at this moment.
    _entered: set[tuple[str, str]] | None = None
    # What its success brings along, from the first of it on; and whether complete() has written that.
    _brings: Brings | None = None
    _completed = False

    def __init__(
        self,
        claim: Claim,
        args: list[Any] | dict[str, Any],
        labels: Mapping[str, str],
        deadline: float | None,
        transactional: bool = False,
        secrecy: Secrecy | None = None,
        spawner: Spawner | None = None,
    ) -> None:
        self._claim = claim
        self._transactional = transactional
        self.args = args
        self.labels = labels
        self.deadline = deadline
        self._secrecy = secrecy
        # Who enqueues what it enqueues.
        self._spawner = spawner

    def __repr__(self) -> str:
        return f"<JobContext {self.target} {self.id} attempt {self.attempt}>"

    @property
    def id(self) -> UUID:
        """The job's id, the same at every attempt: the key to make effects outside the database idempotent."""
        return self._claim.id

    @property
    def attempt(self) -> int:
        """The number of this attempt; 1 is the first."""
        return self._claim.attempt

    @property
    def target(self) -> str:
        """The task's name, `module:function`."""
        return self._claim.target

    @property
    def queue(self) -> str:
        """The queue that the job waited under."""
        return self._claim.queue

    @property
    def log(self) -> JobLog:
        """Keeps lines with this attempt, for `pgqueue jobs logs`: `job.log("read %s rows", n)`, `job.log.warning(...)`.

        They are written about once a second, whatever becomes of the attempt's transaction; a crash may cost the last
        second of them.
        """
        if self._log is None:
            claim = self._claim
            self._log = JobLog((claim.id, claim.claim, claim.attempt), self.args, self._outlet, self.hide)
        return self._log

    @property
    def is_sensitive(self) -> bool:
        """Whether its task calls arguments sensitive: what a log or a report says of it goes through hide()."""
        return self._secrecy is not None

    def hide(self, text: str) -> str:
        """The text, with dots in place of the values of arguments that the task calls sensitive."""
        if self._secrecy is None:
            return text
        if self._secrets is None:
            # Of what was enqueued: the task may have changed what it was given.
            self._secrets = (secrets_of(self._secrecy, self._claim.args),)
        return without(text, self._secrets[0]) or ""

    @property
    def cancelled(self) -> bool:
        """Whether the job was cancelled while it runs: return or raise soon; later it is ended by force."""
        return self._cancelled

    def wait_cancelled(self, timeout: Duration | None = None) -> bool:
        """Wait until the job is cancelled, at most `timeout` (seconds or a timedelta); answers whether it is."""
        check_duration("timeout", timeout, zero=True, infinite=False)
        with _making:
            told = self._told = self._told or threading.Event()
        # The one who tells sets the flag first, and looks for the event then.
        return self._cancelled or told.wait(None if timeout is None else min(seconds(timeout), threading.TIMEOUT_MAX))

    def once(
        self,
        key: str,
        *,
        scope: str = SCOPE,
        keep: Duration = KEEP,
        wait: Duration = WAIT,
        on_unknown: OnUnknown = "bury",
        unsure: tuple[type[BaseException], ...] = (),
        outside: bool | None = None,
    ) -> Once:
        """Do something once, whatever is retried: `with job.once("charge:42") as first:`, `if first:`, or `async with`.

        The ledger remembers the key in its `scope` for `keep`, for all jobs. In a transactional task it is written
        in the task's transaction. Elsewhere, and with `outside=True`, it is reserved before the block and confirmed
        behind it; a crash between leaves it unknown, and `on_unknown` says what the next attempt does: "run" it again,
        "skip" it, "bury" the job for a human, "raise" EffectUnknown. An exception in the block sets the key free,
        unless it is one of `unsure`, or came from outside as a timeout does: then it is unknown, too.

        Waits at most `wait` for another one who is at it, and then raises EffectBusy. Raises LeaseLost if the attempt
        is late, and what the database raises.
        """
        line = self._database("job.once()")
        terms = Terms(key=key, scope=scope, keep=keep, wait=wait, on_unknown=on_unknown, unsure=unsure)
        if line.transaction is not None and not outside:
            return Once(Within(line, terms, self._holder()), terms)
        if outside is False:
            raise UsageError("outside=False needs a transactional task; this one has no transaction to be within")
        if self._entered is None:
            self._entered = set()
        return Once(Outside(line, terms, self._holder(), self._entered), terms)

    def _holder(self) -> Holder:
        claim = self._claim
        return Holder(claim.id, claim.worker, claim.claim, claim.attempt, claim.target)

    def _database(self, call: str) -> Line:
        if self._line is None:
            raise UsageError(f"{call} needs the database of a worker, and nobody gave this job one")
        return self._line

    @overload
    def enqueue(
        self, target: Target, args: Args = None, *, at: None = None, **options: Unpack[CallOptions]
    ) -> Enqueued: ...
    @overload
    def enqueue(
        self, target: Target, args: Args = None, *, at: Literal["once"], **options: Unpack[CallOptions]
    ) -> Any: ...
    def enqueue(
        self,
        target: Target,
        args: Args = None,
        *,
        at: Literal["once"] | None = None,
        **options: Unpack[CallOptions],
    ) -> Any:
        """Enqueue a job if and when this attempt succeeds, in the transaction of its success; it is this job's child.

        Takes what pgqueue.enqueue() takes. A transactional task's is enqueued at once, in its transaction; every other
        is kept until the task returns: its id stands before, and `created` says what is to be expected. An attempt that
        fails enqueues nothing. What the database refuses then (a queue that is full) does not refuse the success: that
        job is dead from the beginning, to be seen and retried.

        `at="once"` enqueues now, in a transaction of its own, whatever becomes of the attempt; in an `async def` task
        it is awaited then. Raises what enqueue() raises, and SpawnLimit for more jobs than `max_children` of the task.
        """
        if isinstance(target, NewJob):
            raise UsageError("target is a NewJob; pass its target, arguments and options, or job.effect(new)")
        check_choice("at", at, ("once",))
        new = NewJob(target, args, **options)
        if at is None:
            return self._spawning().enqueue(self, new)
        return self._spawning().enqueue_at_once(self, self._database("job.enqueue(at='once')"), new)

    def effect(self, task: Target | NewJob, /, *args: Any, **kwargs: Any) -> Enqueued:
        """Have a task called with these arguments if and when this job succeeds: for what the world is to see.

        As enqueue(), but that it waits for the success also in a transactional task. Options are said by
        `task.using(...)`, or in a NewJob. Raises as enqueue() does.
        """
        return self._spawning().effect(self, task, args, kwargs)

    def _spawning(self) -> Spawner:
        if self._spawner is None:
            raise UsageError("this job is run by nobody that could enqueue for it; enqueue on a connection of your own")
        if self._completed:
            raise UsageError("complete() has written the job's success: enqueue before it, or on that connection")
        return self._spawner

    @overload
    def complete(self, conn: SyncConnection, *, result: object = None) -> None: ...
    @overload
    def complete(self, conn: AsyncConnection, *, result: object = None) -> Awaitable[None]: ...
    def complete(self, conn: AnyConnection, *, result: object = None) -> Awaitable[None] | None:
        """Record the job's success in the transaction open on `conn`: it commits with what else was written there.

        Raises LeaseLost if the attempt is late; let it roll the transaction back. If the transaction rolls back later,
        the job has not succeeded by it, and how the task ends decides as usual. `result` is kept if results are stored.
        """
        if self._transactional:
            raise UsageError("a transactional task is completed with its own transaction: return instead of complete()")
        text = encode(result, "result") if self._claim.store_result else None
        brings = None if self._brings is None else self._brings.text()
        done = execute(conn, jobs.complete(self._claim, text, brings))
        if not isinstance(done, bool):
            return self._check_later(done)
        self._check(done)
        return None

    def _check(self, settled: bool) -> None:
        self._completed = settled
        if not settled:
            self.late = True
            raise LeaseLost(f"job {self.id}: attempt {self.attempt} is late, its success was not recorded")

    async def _check_later(self, done: Awaitable[bool]) -> None:
        self._check(await done)


class Spawner(Protocol):
    """Enqueues for a job that runs."""

    def enqueue(self, job: JobContext, new: NewJob) -> Enqueued:
        """In its transaction, or with its success."""

    def enqueue_at_once(self, job: JobContext, line: Line, new: NewJob) -> Any:
        """Now; awaitable in the event loop of an async task."""

    def effect(self, job: JobContext, task: Target | NewJob, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Enqueued:
        """With its success."""


Middleware = Callable[[JobContext], AbstractContextManager[None]]

# Guards the making of the event that wait_cancelled() waits for.
_making = threading.Lock()

# Set by the worker round each attempt, inside a context of the attempt's own.
running: ContextVar[JobContext | None] = ContextVar("pgqueue.running", default=None)

_bound: ContextVar[SyncConnection | None] = ContextVar("pgqueue.bound", default=None)


def keep_lines(job: JobContext, outlet: Outlet) -> None:
    """Have the lines of a job that is about to run go there."""
    job._outlet = outlet


def give_line(job: JobContext, line: Line) -> None:
    """Let a job that is about to run ask and write in the database by itself."""
    job._line = line


def tell_cancelled(job: JobContext) -> None:
    """Let a running job know that nobody wants it any more; from any thread."""
    job._cancelled = True
    if job._told is not None:
        job._told.set()


def current_job() -> JobContext:
    """The job that is running here. Raises UsageError outside of one, and in a thread that the job started itself."""
    job = running.get()
    if job is None:
        raise UsageError("current_job() needs a running job; in a thread of your own, pass the job to it")
    return job


@contextmanager
def bound(conn: SyncConnection) -> Iterator[None]:
    """Make `Task.delay()` enqueue on `conn`, in the transaction open there, while the block runs."""
    if is_async(conn):
        raise UsageError(f"bound() takes no async connection, got {type(conn).__name__}; await task.enqueue(conn, ...)")
    token = _bound.set(conn)
    try:
        yield
    finally:
        _bound.reset(token)


def bound_connection() -> SyncConnection | None:
    """The connection of the innermost bound() block."""
    return _bound.get()


def be_at_home_in(dsn: str | None) -> None:
    """Have `Task.delay()` outside of bound() go to that database: in a worker's process, to where its jobs come from.

    Told so, and not by a variable: what a job starts must not inherit a password that the worker alone was given.
    """
    global _home
    _home = dsn


@contextmanager
def at_home_in(dsn: str) -> Iterator[None]:
    """Be at home in this database as long as the block runs."""
    be_at_home_in(dsn)
    try:
        yield
    finally:
        be_at_home_in(None)


def be_at_home_here(dsn: str) -> None:
    """As be_at_home_in(), for this thread alone: that of a worker in somebody's own program, which has another home."""
    _home_here.set(dsn)


def home_database() -> str | None:
    """The database that be_at_home_here() named in this thread, or be_at_home_in() in the process."""
    return _home_here.get() or _home


_home: str | None = None
_home_here: ContextVar[str | None] = ContextVar("pgqueue.home", default=None)
