"""A queue, in RQ's words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from pgqueue import client
from pgqueue.compat.connecting import callers_connection, connection_for
from pgqueue.compat.rq import behind
from pgqueue.compat.rq.exceptions import DuplicateJobError
from pgqueue.compat.rq.job import Job
from pgqueue.compat.rq.options import NAMES, OWN_TASKS, Said, name_of, said_of
from pgqueue.elsewhere import missing_attribute
from pgqueue.errors import JobNotFound, OptionError, UsageError
from pgqueue.job import Args, NewJob
from pgqueue.store.connection import SyncConnection
from pgqueue.tasks import registered
from pgqueue.tasks.calling import calling_of

_ELSEWHERE: Mapping[str, str] = {
    "all": "see `pgqueue queues list`",
    "count": "see `pgqueue status`, or select * from pgqueue.queue_stats",
    "delete": "a queue is a name; see `pgqueue jobs cancel 'queue:NAME'`",
    "deferred_job_registry": "see `pgqueue jobs list --state waiting`",
    "dequeue_any": "the worker claims; see docs/reference/sql.md",
    "empty": "see `pgqueue jobs cancel 'queue:NAME'`",
    "enqueue_job": "say enqueue(...), or enqueue_many([Queue.prepare_data(...)])",
    "failed_job_registry": "see `pgqueue dead list`, or select * from pgqueue.job where state = 'dead'",
    "finished_job_registry": "see `pgqueue jobs list --state succeeded`",
    "get_job_ids": "see `pgqueue jobs list`, or select * from pgqueue.job",
    "get_jobs": "see `pgqueue jobs list`, or select * from pgqueue.job",
    "is_empty": "see `pgqueue status`, or select * from pgqueue.queue_stats",
    "job_ids": "see `pgqueue jobs list`, or select * from pgqueue.job",
    "jobs": "see `pgqueue jobs list`, or select * from pgqueue.job",
    "run_sync": "in tests say pgqueue.testing.eager()",
    "scheduled_job_registry": "see `pgqueue jobs list --state scheduled`",
    "started_job_registry": "see `pgqueue jobs list --state running`",
}


class JobData(NamedTuple):
    """A job to enqueue, as Queue.prepare_data() makes it."""

    function: Any
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    said: Said


class Queue:
    """A queue, by its name.

    What is enqueued goes to `connection`, in the transaction open there, which is not committed; without one to that of
    pgqueue.bound(), or to PGQUEUE_DSN in a transaction of its own.
    """

    def __init__(
        self,
        name: str = "default",
        default_timeout: Any = None,
        connection: Any = None,
        is_async: bool = True,
        **unknown: object,
    ) -> None:
        if not is_async:
            raise OptionError("Queue takes no is_async=False here: in tests write `with pgqueue.testing.eager():`")
        for option in ("job_class", "serializer", "death_penalty_class"):
            if unknown.pop(option, None) is not None:
                raise OptionError(
                    f"Queue takes no {option} here: arguments are JSON, and jobs are rows of the database"
                )
        if unknown:
            raise OptionError(f"Queue takes no {', '.join(sorted(unknown))}")
        if type(connection).__module__.partition(".")[0] in ("redis", "valkey"):
            raise UsageError(
                "connection is one to PostgreSQL here; pass that of your transaction, or leave it out: PGQUEUE_DSN"
            )
        self.name, self.connection, self._default_timeout = name, connection, default_timeout

    def __repr__(self) -> str:
        return f"Queue({self.name!r})"

    def __len__(self) -> int:
        missing_attribute("queue", "count", _ELSEWHERE)

    def __bool__(self) -> bool:
        return True

    def __getattr__(self, name: str) -> Any:
        return missing_attribute("queue", name, _ELSEWHERE)

    def enqueue(self, f: Callable[..., Any] | str, /, *args: Any, **kwargs: Any) -> Job:
        """Enqueue a call of a function, by itself or its name; options of RQ's are taken out of `kwargs`."""
        return self._enqueued(self._parsed(f, args, kwargs), {})

    def enqueue_call(
        self,
        func: Callable[..., Any] | str,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        timeout: Any = None,
        **options: Any,
    ) -> Job:
        """As enqueue(), with the arguments apart from the options."""
        return self._enqueued(self.prepare_data(func, args, kwargs, timeout, **options), {})

    def enqueue_at(self, datetime: datetime, f: Callable[..., Any] | str, /, *args: Any, **kwargs: Any) -> Job:
        """As enqueue(), not before a moment; one without a zone is in this machine's local time."""
        return self._enqueued(self._parsed(f, args, kwargs), {"run_at": datetime.astimezone()})

    def enqueue_in(self, time_delta: timedelta, func: Callable[..., Any] | str, /, *args: Any, **kwargs: Any) -> Job:
        """As enqueue(), not before so long from now."""
        return self._enqueued(self._parsed(func, args, kwargs), {"delay": time_delta})

    @staticmethod
    def prepare_data(
        func: Callable[..., Any] | str,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        timeout: Any = None,
        **options: Any,
    ) -> JobData:
        """A job to enqueue, for enqueue_many()."""
        if unknown := sorted(options.keys() - set(NAMES)):
            raise OptionError(f"enqueue() takes no option {', '.join(unknown)}; it takes {', '.join(NAMES)}")
        if timeout is not None:
            options["job_timeout"] = timeout
        return JobData(func, tuple(args or ()), dict(kwargs or {}), said_of(options))

    def enqueue_many(self, job_datas: Iterable[JobData], pipeline: None = None) -> list[Job]:
        """Enqueue several, in one round trip."""
        several = list(job_datas)
        if any(each.said.dependency is not None for each in several):
            raise UsageError(
                "depends_on does not go with enqueue_many(); say pgqueue.chain(...), or enqueue one by one"
            )
        new_jobs = [self._new(each, {}) for each in several]
        with connection_for(self.connection, None, "queue.enqueue_many()") as conn:
            ids = client.enqueue_many(conn, new_jobs)
        return [Job(str(each), self.connection) for each in ids]

    def fetch_job(self, job_id: str) -> Job | None:
        """The job of this id; None if there is none."""
        try:
            return Job.fetch(job_id, self.connection)
        except JobNotFound:
            return None

    def _parsed(self, f: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> JobData:
        options = {name: kwargs.pop(name) for name in NAMES if name in kwargs}
        # RQ's own words for arguments whose names are taken by options.
        if "args" in kwargs or "kwargs" in kwargs:
            if args:
                raise OptionError("args and kwargs are either given as such, or in front: leave one of the two out")
            args, kwargs = tuple(kwargs.pop("args", None) or ()), dict(kwargs.pop("kwargs", None) or {}, **kwargs)
        return JobData(f, args, kwargs, said_of(options, self._default_timeout))

    def _enqueued(self, data: JobData, when: Mapping[str, Any]) -> Job:
        with connection_for(self.connection, None, "queue.enqueue()") as conn:
            made = self._made(conn, data, when)
        job_id = data.said.ours.get("job_id")
        if not made.created:
            raise DuplicateJobError(
                f"a job of the id {job_id} is there already, and an id names one job for good; to have at most one"
                " live, enqueue with unique_key by pgqueue.enqueue()"
            )
        return Job(str(made.id), callers_connection(self.connection))

    def _made(self, conn: SyncConnection, data: JobData, when: Mapping[str, Any]) -> Any:
        new = self._new(data, when)
        if data.said.dependency is not None:
            return behind.enqueue(conn, new, data.said.dependency)
        return client.enqueue(conn, new.target, new.args, **new.said())

    def _new(self, data: JobData, when: Mapping[str, Any]) -> NewJob:
        said = data.said
        ours = {"queue": self.name, **said.ours, **when}
        target = name_of(data.function)
        is_plain = not said.waits and said.repeat is None and said.dependency is None
        if is_plain and not (
            data.args and data.kwargs and registered(target) is None and isinstance(data.function, str)
        ):
            return NewJob(target, _stored(data, target), **ours)
        args: dict[str, Any] = {"function": target, "args": list(data.args), "kwargs": dict(data.kwargs)}
        if said.waits:
            args["waits"] = said.waits
        if said.repeat is not None:
            args |= {"times": said.repeat.times, "every": said.repeat.waits()}
        labels = {"function": target, **ours.pop("labels", {})}
        return NewJob(f"{OWN_TASKS}:perform", args, labels=labels, **ours)


def _stored(data: JobData, target: str) -> Args:
    """The arguments as the function takes them. Raises SignatureError, ArgumentError."""
    task = registered(target)
    if task is not None:
        return task.calling.stored(tuple(data.args), dict(data.kwargs))
    if callable(data.function):
        return calling_of(data.function, target).stored(tuple(data.args), dict(data.kwargs))
    return data.kwargs or data.args or None
