"""The tree of errors.

    PgqueueError
    ├── UsageError (ValueError)      the call is wrong; nothing was written
    │   ├── TargetError              a target that no worker could call
    │   ├── ArgumentError            arguments or a result that are not JSON, or too large
    │   │   └── SignatureError (TypeError)  arguments that the task's function does not take
    │   ├── OptionError              an option out of its range, or two that exclude each other
    │   ├── KeyringError             secret keys that cannot be had: open to others, not to be read, none that fits
    │   └── QueryError               a search for jobs that cannot be read
    ├── JobNotFound (LookupError)    no such job, in any state
    ├── WorkflowNotFound (LookupError)  no workflow of this id
    ├── JobFailed                    result() of a job that ended without success
    ├── FeedFailed                   feed(): the iterator raised, or yielded what no job can be
    ├── FeedBusy                     feed(): another process feeds it
    ├── FeedNotFound (LookupError)   no feed of this name
    ├── ResultTimeout (TimeoutError) result() gave up waiting; the job goes on
    ├── KeyTaken                     on_conflict="raise", and a job has the unique key
    ├── QueueFull                    the queue holds as many jobs as it may
    ├── TargetNotAllowed             the queue takes no jobs of this target
    ├── EnqueueLimit                 the role enqueues more, or more often, than it may
    ├── SpawnLimit                   a job brings more jobs, or generations of jobs, than it may
    ├── LimitReached (TimeoutError)  limit() gave up waiting for a share
    ├── EffectBusy (TimeoutError)    once(): another attempt, or an open transaction, is at it
    ├── EffectUnknown                once(): an attempt vanished over it
    ├── LeaseLost                    the attempt is late: its job belongs to somebody else, or has ended
    ├── SoftTimeout (TimeoutError)   raised in a job: its time is up
    ├── CodecError                   content of a codec that this process lacks, or that it could not read
    │   └── EncryptionError          a key that is missing or wrong, or content that was moved or changed
    ├── ProgramFailed                the program of a command_task() ended without success
    ├── RequestFailed                the server of an http_task() did not answer, or not with success
    ├── StepUnreadable               a durable function's memo is not what its code reads now
    ├── TransactionEnded             a transactional job ended, or broke, the transaction it was given
    ├── NotBound                     Task.delay() outside `bound()` and without PGQUEUE_DSN
    ├── SchemaError                  the schema is missing, or older or newer than this code
    ├── DatabaseUnreachable          no connection could be made
    │   └── HostExhausted            because this machine has no file or memory left for one
    ├── AppError                     a module named by --app cannot be imported
    └── EmbeddedError                the embedded PostgreSQL cannot be found or started

    PgqueueWarning (UserWarning)
    ├── SizeWarning                  arguments of more than 64 kB
    └── AnnotationWarning            an annotation that says nothing of how JSON is to be read

What a task raises to choose its own outcome (Retry, Snooze, Bury, Cancel) is no error; it stands in outcome.py.
"""

from __future__ import annotations

import json
from typing import Any


class PgqueueError(Exception):
    """Base of every error that pgqueue raises."""


class UsageError(PgqueueError, ValueError):
    """The call is wrong; nothing was written."""


class TargetError(UsageError):
    """A target that no worker could call."""


class ArgumentError(UsageError):
    """Arguments, labels or a result that cannot be stored as JSON."""


class SignatureError(ArgumentError, TypeError):
    """The task's function does not take these arguments; its signature is in the message."""


class OptionError(UsageError):
    """An option out of its range, or two options that exclude each other."""


class KeyringError(UsageError):
    """Secret keys that cannot be had: open to others, not to be read, or none that fits. Shows nothing of a key."""


class QueryError(UsageError):
    """A search for jobs that cannot be read.

    The wrong word begins at `place` and is `length` letters long; `mended` is the whole text as it may have been meant.
    """

    def __init__(self, message: str, place: int = 0, length: int = 0, mended: str | None = None) -> None:
        super().__init__(message)
        self.place, self.length, self.mended = place, length, mended

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.place, self.length, self.mended)


class JobNotFound(PgqueueError, LookupError):
    """There is no job with this id, in any state: never enqueued, rolled back, or pruned from history."""

    def __init__(self, job_id: object) -> None:
        super().__init__(f"no job {job_id}: never committed, or its history is past its keeping time")
        self.job_id = job_id


class WorkflowNotFound(PgqueueError, LookupError):
    """There is no workflow with this id: never enqueued, rolled back, or pruned from history."""

    def __init__(self, workflow_id: object) -> None:
        super().__init__(f"no workflow {workflow_id}: never committed, or its history is past its keeping time")
        self.workflow_id = workflow_id

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.workflow_id,)


class JobFailed(PgqueueError):
    """The job whose result was asked for ended without success.

    `reason` is why it ended, `traceback` the remote one, both None where nothing was recorded.
    """

    def __init__(self, job_id: object, state: str, reason: str | None, traceback: str | None) -> None:
        super().__init__(f"job {job_id} is {state} ({reason or 'no reason recorded'})")
        if traceback:
            self.add_note(f"The last attempt raised:\n{traceback}")
        self.job_id, self.state, self.reason, self.traceback = job_id, state, reason, traceback

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.job_id, self.state, self.reason, self.traceback)


class FeedFailed(PgqueueError):
    """The iterator of a feed raised, or yielded what no job can be; `items` stand, and the same call goes on there.

    `cursor` is that of the last item fed, `traceback` the iterator's; the error itself is the cause.
    """

    def __init__(self, name: str, items: int, cursor: Any, why: str, traceback: str | None = None) -> None:
        behind = "them" if cursor is None else f"the cursor {json.dumps(cursor, ensure_ascii=False)}"
        super().__init__(
            f"feed {name} stopped after {items:,} items: {why}; they are enqueued, and the same call goes on behind"
            f" {behind}"
        )
        self.name, self.items, self.cursor, self.why, self.traceback = name, items, cursor, why, traceback

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.name, self.items, self.cursor, self.why, self.traceback)


class FeedBusy(PgqueueError):
    """Another process feeds this feed, or took it over: here nothing more is fed."""


class FeedNotFound(PgqueueError, LookupError):
    """There is no feed of this name."""


class ResultTimeout(PgqueueError, TimeoutError):
    """The job did not end within the time that result() was given; it goes on undisturbed."""


class KeyTaken(PgqueueError):
    """A job that was to be the only one of its unique key, with `on_conflict="raise"`, is not; nothing was enqueued.

    `job_id` is the job that has the key. The database raised it: roll back, to a savepoint at least.
    """

    def __init__(self, message: str, job_id: object) -> None:
        super().__init__(message)
        self.job_id = job_id

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.job_id)


class QueueFull(PgqueueError):
    """The queue holds as many jobs as its `max_size` allows; nothing was enqueued. `queue` is its name.

    The database raised it: roll back, to a savepoint at least, and enqueue again when workers have caught up.
    """

    def __init__(self, message: str, queue: str) -> None:
        super().__init__(message)
        self.queue = queue

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.queue)


class TargetNotAllowed(PgqueueError):
    """The queue takes no jobs of this target (allow_targets); nothing was enqueued. `queue` and `target` name them.

    The database raised it: roll back, to a savepoint at least, and enqueue it elsewhere.
    """

    def __init__(self, message: str, queue: str, target: str) -> None:
        super().__init__(message)
        self.queue, self.target = queue, target

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.queue, self.target)


class EnqueueLimit(PgqueueError):
    """The role of the database enqueues more, or more often, than its limit allows; nothing was enqueued.

    `role` is whose limit, `limit` which: `rate`, `max_queues` or `max_args`. `retry_after` is in how many seconds the
    same may be enqueued, None where waiting does not help. The database raised it: roll back, to a savepoint at least.
    """

    def __init__(self, message: str, role: str, limit: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.role, self.limit, self.retry_after = role, limit, retry_after

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.role, self.limit, self.retry_after)


class SpawnLimit(PgqueueError):
    """A job brings more other jobs, or is more generations deep, than `max_children` and `max_depth` of its task allow.

    This one was not enqueued. Where the database raised it: roll back, to a savepoint at least.
    """


class LimitReached(PgqueueError, TimeoutError):
    """No share of the limit was free within the time that limit() was given; nothing is held."""


class EffectBusy(PgqueueError, TimeoutError):
    """Another attempt, or a transaction that is open, is at what is to be done once, and took longer than `wait`.

    A job that lets it through gives its attempt back, and comes again in some seconds.
    """


class EffectUnknown(PgqueueError):
    """An attempt vanished over what is to be done once: nobody knows whether it was, and `on_unknown` is "raise"."""


class LeaseLost(PgqueueError):
    """This attempt is late: its job was given to another worker, cancelled, or has ended. Nothing was changed."""


class SoftTimeout(PgqueueError, TimeoutError):
    """Raised inside a job whose time is up: clean up and let it go; a job that goes on is ended by force."""

    def __init__(self, message: str = "the job's time is up") -> None:
        super().__init__(message)


class CodecError(PgqueueError):
    """Arguments or a result were written by a codec that this process has not registered, or that cannot read them.

    `codec` is its name.
    """

    def __init__(self, message: str, codec: str) -> None:
        super().__init__(message)
        self.codec = codec

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.codec)


class EncryptionError(CodecError):
    """Something cannot be encrypted, or not be read: its key is missing or wrong, or it is not what was written there.

    `key` is the id of the key, empty where none is at fault. `lasting`: no key could read it. Shows nothing of a key.
    """

    def __init__(self, message: str, key: str = "", lasting: bool = False) -> None:
        super().__init__(message, f"encrypted:{key}")
        self.key, self.lasting = key, lasting

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.key, self.lasting)


class ProgramFailed(PgqueueError):
    """The program of a job ended without success. `exit_code` is None where it has none: a signal, or never started."""

    def __init__(self, message: str, exit_code: int | None = None) -> None:
        super().__init__(message)
        self.exit_code = exit_code

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.exit_code)


class RequestFailed(PgqueueError):
    """The server that a job is posted to did not answer, or not with success. `status` is None without an answer."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.status)


class StepUnreadable(PgqueueError):
    """What a durable function remembers of a step is not what its code reads now: the code has changed.

    `step` is its name. Give what means something else another name, or fork the job before it.
    """

    def __init__(self, message: str, step: str) -> None:
        super().__init__(message)
        self.step = step

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.step)


class TransactionEnded(PgqueueError):
    """A transactional job committed, rolled back or broke the transaction it was given."""


class NotBound(PgqueueError):
    """There is no connection to enqueue on: neither `with pgqueue.bound(conn):` nor PGQUEUE_DSN."""


class SchemaError(PgqueueError):
    """The schema `pgqueue` is missing, or of a version that this code cannot work with."""


class DatabaseUnreachable(PgqueueError):
    """No connection to the database could be made."""


class HostExhausted(DatabaseUnreachable):
    """This machine has run out of files, memory, disk or processes; the database may be as well as ever."""


class AppError(PgqueueError):
    """A module that the worker was told to run cannot be imported."""


class EmbeddedError(PgqueueError):
    """The embedded PostgreSQL cannot be found or started."""


class PgqueueWarning(UserWarning):
    """Base of every warning that pgqueue gives."""


class SizeWarning(PgqueueWarning):
    """Arguments are large; each place that enqueues such is told of once."""


class AnnotationWarning(PgqueueWarning):
    """An annotation cannot be evaluated, or may be read in two ways: its values come as JSON has them."""
