"""The job that runs, as its own code sees it: what it is, and what it says, asks and brings along."""

from __future__ import annotations

import threading
import time
from collections.abc import Awaitable, Mapping
from enum import StrEnum
from typing import Any, Literal, Protocol, Unpack, overload
from uuid import UUID

from pgqueue import encryption
from pgqueue.brings import Brings
from pgqueue.call_options import CallOptions
from pgqueue.codec import encode
from pgqueue.context.checkpoints import Checkpoints, place_of
from pgqueue.context.gathered import Gathered
from pgqueue.elsewhere import names_ours
from pgqueue.encryption import Kind, Place, line_detail
from pgqueue.enqueued import Enqueued
from pgqueue.errors import LeaseLost, OptionError, UsageError
from pgqueue.habits import OF_RUNNING_JOBS
from pgqueue.job import Args, Claim, NewJob, Target
from pgqueue.job_log import JobLog, Outlet
from pgqueue.job_progress import Gauge, progress_of
from pgqueue.leaving_out import without
from pgqueue.ledger import KEEP, SCOPE, WAIT, Once, OnUnknown, Outside, Terms, Within
from pgqueue.options import Duration, check_choice, check_duration
from pgqueue.redaction import Redaction, secrets_of
from pgqueue.retry import seconds
from pgqueue.secrecy import Secrecy
from pgqueue.store import execute, jobs, progress
from pgqueue.store.connection import AnyConnection, AsyncConnection, SyncConnection
from pgqueue.store.effects import Holder
from pgqueue.store.line import Line

# Seconds that an attempt may ask for at a time.
LONGEST_EXTENSION = 86_400.0
_BY_NAME = Redaction()
# Guards the making of the events that wait_cancelled() and wait_ending() wait for.
_making = threading.Lock()


class WorkerPhase(StrEnum):
    """What the worker of a running job is about: a quiet one claims no more."""

    WORKING = "working"
    QUIET = "quiet"
    STOPPING = "stopping"


@names_ours("job", OF_RUNNING_JOBS)
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
    # What stands under the names of secrets.
    _named: frozenset[str] | None = None
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
    _gauge: Gauge | None = None
    # Where it goes on, from the first word about that on.
    _checkpoints: Checkpoints | None = None
    # The time.monotonic() until which it may run, as it has asked for itself.
    _extended_until: float | None = None
    _phase = WorkerPhase.WORKING
    # Whether it may be stopped at a yield.
    _iterable = False
    # Made when somebody waits, as the other one.
    _ending: threading.Event | None = None
    # Whether the call that runs is not of this job alone.
    _of_batch = False

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
    def tenant(self) -> str | None:
        """Whose the job is, where tenants are on; None if nobody's. A transactional task's connection acts for it."""
        return self._claim.tenant

    @property
    def log(self) -> JobLog:
        """Keeps lines with this attempt, for `pgqueue jobs logs`: `job.log("read %s rows", n)`, `job.log.warning(...)`.

        They are written about once a second, whatever becomes of the attempt's transaction; a crash may cost the last
        second of them.
        """
        if self._log is None:
            claim = self._claim
            kept = self._kept_line if self.is_encrypted else None
            self._log = JobLog((claim.id, claim.claim, claim.attempt), self.args, self._outlet, self.hide, kept)
        return self._log

    def _kept_line(self, kind: Kind, text: str, seq: int) -> str:
        return self._kept(kind, text, line_detail(self._claim.claim, seq) if kind is Kind.LINE else "")

    @property
    def is_sensitive(self) -> bool:
        """Whether its task calls arguments sensitive: what a log or a report says of it goes through hide()."""
        return self._secrecy is not None

    def hide(self, text: str) -> str:
        """The text, with dots in place of the values of arguments that the task calls sensitive."""
        if self._secrecy is None:
            return text
        if self._secrets is None:
            self._secrets = (secrets_of(self._secrecy, self._given_as_json),)
        return without(text, self._secrets[0]) or ""

    def _shown(self, text: str) -> str:
        """A report of it as it may be kept and read: hide(), and without what stands under the names of secrets."""
        if self._named is None:
            self._named = _BY_NAME.of_json(self._given_as_json).secrets or frozenset()
        return _BY_NAME.in_report(without(self.hide(text), self._named) or "")

    @property
    def _given_as_json(self) -> str:
        # As enqueued: the task may have changed what it was given.
        return self._claim.args

    @property
    def is_encrypted(self) -> bool:
        """Whether what is written of it is encrypted."""
        return False

    def _kept(self, kind: Kind, text: str, detail: str = "") -> str:
        """A text as it is written: encrypted, if that is to be. Raises EncryptionError, KeyringError."""
        return encryption.encrypted(text, Place(kind, self.id, detail)) if self.is_encrypted else text

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
        terms = Terms(
            key=key,
            scope=scope,
            keep=keep,
            wait=wait,
            on_unknown=on_unknown,
            unsure=unsure,
            encrypted=self.is_encrypted,
        )
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

    @property
    def shutting_down(self) -> bool:
        """Whether its worker stops: return soon, or be ended by force, with this attempt given back, and run again."""
        return self._phase is WorkerPhase.STOPPING

    def wait_ending(self, timeout: Duration | None = None) -> bool:
        """Wait until the job is cancelled or its worker stops, at most `timeout`; answers whether it should end."""
        check_duration("timeout", timeout, zero=True, infinite=False)
        with _making:
            ending = self._ending = self._ending or threading.Event()
        if self._cancelled or self.shutting_down:
            return True
        return ending.wait(None if timeout is None else min(seconds(timeout), threading.TIMEOUT_MAX))

    def progress(self, done: float, total: float | None = None, note: str | None = None) -> None:
        """Say how far the job is, for people: `done` of `total`, and a few words. As often as you like, at no cost.

        The newest word is written about twice a second, and the last one at the end; of a late attempt none.
        """
        said = progress_of(done, total, None if note is None else self.log.note(note))
        if self._outlet is None or self._outlet.show is None:
            return
        if self._gauge is None:
            self._gauge = Gauge(self.id, self._claim.claim)
        self._gauge.say(said, self._outlet.show)

    def extend(self, timeout: Duration) -> None:
        """Let this attempt run for `timeout` (seconds or a timedelta, a day at most) from now on, if that is longer.

        Its soft timeout moves along. Say it again as long as there is a reason to: a job that hangs says nothing.
        """
        check_duration("timeout", timeout, zero=False, infinite=False)
        if (wanted := seconds(timeout)) > LONGEST_EXTENSION:
            raise OptionError(f"timeout must be a day at most, got {timeout!r:.80}; say it again when that is over")
        until = time.monotonic() + wanted
        self._extended_until = max(until, self._extended_until or until)
        if self.deadline is not None:
            self.deadline = max(until, self.deadline)
        if self._outlet is not None and self._outlet.extend is not None:
            self._outlet.extend(self._extended_until - time.monotonic())

    @property
    def resumed_from(self) -> Any:
        """What an attempt before this one said by checkpoint() last, None if none did: where to go on.

        Read when it is first asked for. In an `async def` task that is not iterable `await load_checkpoint()` first.
        """
        return self._places.found()

    async def load_checkpoint(self) -> Any:
        """As `resumed_from`, which is there then: for `async def` tasks."""
        return await self._places.load()

    @overload
    def checkpoint(self, value: object, *, conn: SyncConnection) -> None: ...
    @overload
    def checkpoint(self, value: object, *, conn: AsyncConnection) -> Awaitable[None]: ...
    @overload
    def checkpoint(self, value: object, *, every: Duration | None = None) -> Any: ...
    def checkpoint(self, value: object, *, conn: AnyConnection | None = None, every: Duration | None = None) -> Any:
        """Say where the next attempt goes on: it finds `value` as `resumed_from`. Kept until the job has succeeded.

        With `conn` it is written in the transaction open there, and commits with what was done there: each part of the
        work once, whatever crashes. Without, it stands when this returns; in an `async def` task await it. `every` so
        many seconds is enough: in between it is only remembered, and written if the attempt fails.

        Raises LeaseLost if the attempt is late: let the transaction roll back. At most 1 MB of JSON.
        """
        if self._transactional:
            raise UsageError(
                "a transactional task commits at its end, or at each yield if it is iterable=True: yield the value"
                " instead of checkpoint(), or leave transactional out and pass conn="
            )
        text = self._kept(Kind.CHECKPOINT, place_of(value))
        if conn is None:
            check_duration("every", every, zero=True, infinite=False)
            keeping = self._places.keep(text, 0.0 if every is None else seconds(every))
            return self._database("a checkpoint").call(keeping)
        if every is not None:
            raise UsageError(
                "every is for checkpoints without conn: one in a transaction commits with it, or not at all"
            )
        done = execute(conn, progress.checkpoint(self._claim, text))
        self._advanced()
        if not isinstance(done, bool):
            return self._check_later(done, "checkpoint")
        self._check(done, "checkpoint")
        return None

    @property
    def _places(self) -> Checkpoints:
        if self._checkpoints is None:
            self._checkpoints = Checkpoints(self._claim, lambda: self._database("a checkpoint"), self._stands)
        return self._checkpoints

    def _stands(self, stands: bool) -> None:
        """A checkpoint was written, or this attempt is late."""
        self._check(stands, "checkpoint")
        self._advanced()

    def _advanced(self) -> None:
        """Let whoever runs a job that crashed before know that it came further: crashes are counted in a row."""
        if self._claim.crashes and self._outlet is not None and self._outlet.advance is not None:
            self._outlet.advance()

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

    def add(self, part: Any, /, *, on_failure: Literal["hold", "cancel"] = "hold") -> list[UUID]:
        """Add a job, a chain, a group or a Workflow to the workflow of this job if and when this attempt succeeds.

        It is written in the transaction of the success, and what waits for this job waits for all that is added, too,
        in whichever depth. A single job counts as one more member of this job's node. An attempt that fails adds
        nothing. What a job adds that is of no workflow is a workflow of its own, called as its task. Answers the ids of
        the jobs. Raises UsageError for what no part of a workflow can be.
        """
        check_choice("on_failure", on_failure, ("hold", "cancel"))
        return self._spawning().graft(self, part, on_failure)

    def gathered(self, node: str | None = None) -> Gathered:
        """What the jobs of a node of this job's workflow returned, one by one, as they were enqueued.

        For results that are too many, or too large, to be an argument: `for value in job.gathered("thumbs")`, in an
        `async def` task `async for`. Without a name of the nodes that this job waited for. Read in pages of 500; of
        jobs that stored no result there is none.
        """
        return Gathered(self.id, node, self._database("job.gathered()"))

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
        text = self._written(result) if self._claim.store_result else None
        brings = None if self._brings is None else self._brings.text()
        done = execute(conn, jobs.complete(self._claim, text, brings))
        if not isinstance(done, bool):
            return self._check_later(done)
        self._check(done)
        return None

    def _written(self, result: object) -> str:
        return encode(result, "result")

    def _check(self, stands: bool, what: str = "success") -> None:
        if what == "success":
            self._completed = stands
        if not stands:
            self.late = True
            raise LeaseLost(f"job {self.id}: attempt {self.attempt} is late, its {what} was not recorded")

    async def _check_later(self, done: Awaitable[bool], what: str = "success") -> None:
        self._check(await done, what)


class Spawner(Protocol):
    """Enqueues for a job that runs."""

    def enqueue(self, job: JobContext, new: NewJob) -> Enqueued:
        """In its transaction, or with its success."""

    def enqueue_at_once(self, job: JobContext, line: Line, new: NewJob) -> Any:
        """Now; awaitable in the event loop of an async task."""

    def effect(self, job: JobContext, task: Target | NewJob, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Enqueued:
        """With its success."""

    def graft(self, job: JobContext, part: Any, on_failure: Literal["hold", "cancel"]) -> list[UUID]:
        """To its workflow, with its success."""
