"""A job, in RQ's words. Each look is a question to the database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from pgqueue import client
from pgqueue.compat.connecting import connection_for
from pgqueue.compat.ids import job_id_of
from pgqueue.context import running
from pgqueue.elsewhere import missing_attribute
from pgqueue.encryption import Kind, Place, decrypted, readable
from pgqueue.errors import JobNotFound
from pgqueue.job import JobState
from pgqueue.record import Attempt
from pgqueue.record import Job as Record
from pgqueue.waiting import wait_many

_PERFORMING = ("pgqueue.compat.rq.own_tasks:perform", "pgqueue.compat.rq.own_tasks:perform_behind")
_ELSEWHERE: Mapping[str, str] = {
    "create": "say Queue.prepare_data(...), and queue.enqueue_many([...])",
    "delete": "say cancel(); what has ended is pruned by the workers, and `pgqueue dead purge` takes dead jobs away",
    "get_position": "say pgqueue.explain(conn, job_id)",
    "heartbeat": "the worker's lease is renewed by itself",
    "perform": "in tests say pgqueue.testing.run_job(function, args)",
    "restore": "say Job.fetch(job_id)",
    "save": "a job is written where it is enqueued",
    "save_meta": "say pgqueue.current_job().progress(done, total, note)",
    "set_status": "a state is what the database says; see `pgqueue jobs`",
    "success_callback": "see `pgqueue jobs tree`",
}


class JobStatus(StrEnum):
    """Where a job is in its life."""

    CREATED = "created"
    QUEUED = "queued"
    FINISHED = "finished"
    FAILED = "failed"
    STARTED = "started"
    DEFERRED = "deferred"
    SCHEDULED = "scheduled"
    STOPPED = "stopped"
    CANCELED = "canceled"


_STATUS: Mapping[JobState, JobStatus] = {
    JobState.SCHEDULED: JobStatus.SCHEDULED,
    JobState.READY: JobStatus.QUEUED,
    JobState.RUNNING: JobStatus.STARTED,
    JobState.RETRYING: JobStatus.SCHEDULED,
    JobState.MANUAL: JobStatus.DEFERRED,
    JobState.WAITING: JobStatus.DEFERRED,
    JobState.SUCCEEDED: JobStatus.FINISHED,
    JobState.DEAD: JobStatus.FAILED,
    JobState.CANCELLED: JobStatus.CANCELED,
}


@dataclass(frozen=True, slots=True)
class Result:
    """How a job's last attempt ended."""

    is_successful: bool
    return_value: Any
    exc_string: str | None
    created_at: datetime | None


class Job:
    """A job by its id, which may be a text of one's own; `connection` is where it is looked at, else one of its own."""

    def __init__(self, id: str, connection: Any = None) -> None:  # noqa: A002  # as RQ calls it
        self.id = str(id)
        self.connection = connection
        self._record: Record | None = None

    def __repr__(self) -> str:
        return f"<Job {self.id}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Job) and job_id_of(self.id) == job_id_of(other.id)

    def __hash__(self) -> int:
        return hash(job_id_of(self.id))

    def __getattr__(self, name: str) -> Any:
        return missing_attribute("job", name, _ELSEWHERE)

    @classmethod
    def fetch(cls, id: str, connection: Any = None, **_: object) -> Job:  # noqa: A002
        """The job of this id. Raises NoSuchJobError."""
        job = cls(id, connection)
        job.refresh()
        return job

    @classmethod
    def fetch_many(cls, job_ids: Iterable[str], connection: Any = None, **_: object) -> list[Job | None]:
        """The jobs of these ids; None in the place of one that is not there."""
        found: list[Job | None] = []
        with connection_for(connection, None, "Job.fetch_many()") as conn:
            for each in job_ids:
                job = cls(each, connection)
                try:
                    job._record = client.get_job(conn, job_id_of(job.id))
                except JobNotFound:
                    found.append(None)
                else:
                    found.append(job)
        return found

    @classmethod
    def exists(cls, job_id: str, connection: Any = None) -> bool:
        """Whether there is such a job."""
        return cls.fetch_many([job_id], connection) != [None]

    def refresh(self) -> None:
        """Look anew. Raises NoSuchJobError."""
        with connection_for(self.connection, None, "job.refresh()") as conn:
            self._record = client.get_job(conn, job_id_of(self.id))

    def get_id(self) -> str:
        """The id."""
        return self.id

    def get_status(self, refresh: bool = True) -> JobStatus:
        """Where it is in its life."""
        if refresh:
            self.refresh()
        record = self._seen
        if self._is_behind and record.state in (JobState.SCHEDULED, JobState.RETRYING):
            return JobStatus.DEFERRED
        return _STATUS[record.state]

    is_queued = property(lambda self: self.get_status() == JobStatus.QUEUED)
    is_started = property(lambda self: self.get_status() == JobStatus.STARTED)
    is_finished = property(lambda self: self.get_status() == JobStatus.FINISHED)
    is_failed = property(lambda self: self.get_status() == JobStatus.FAILED)
    is_deferred = property(lambda self: self.get_status() == JobStatus.DEFERRED)
    is_scheduled = property(lambda self: self.get_status() == JobStatus.SCHEDULED)
    is_canceled = property(lambda self: self.get_status() == JobStatus.CANCELED)
    is_stopped = property(lambda self: False)

    def return_value(self, refresh: bool = True) -> Any:
        """What the function returned; None if it has not, or not yet."""
        with connection_for(self.connection, None, "job.return_value()") as conn:
            (waited,) = wait_many(conn, [job_id_of(self.id)], 0, inside_job=True)
        return decrypted(waited.value, Place(Kind.RESULT, waited.id))

    result = property(lambda self: self.return_value())

    def latest_result(self) -> Result | None:
        """How its last attempt ended; None if none has."""
        self.refresh()
        record, last = self._seen, self._last_attempt()
        if record.state is JobState.SUCCEEDED:
            return Result(True, self.return_value(), None, record.finished_at)
        return None if last is None else Result(False, None, self.exc_info, last.finished_at)

    @property
    def exc_info(self) -> str | None:
        """The traceback of its last attempt that failed."""
        last = self._last_attempt()
        return None if last is None else readable(last.traceback, Place(Kind.TRACEBACK, last.job_id))

    def cancel(self, **_: object) -> None:
        """Cancel it; one that runs is told to end."""
        with connection_for(self.connection, None, "job.cancel()") as conn:
            client.cancel(conn, job_id_of(self.id))

    def requeue(self, at_front: bool = False) -> Job:
        """Revive it, if it is dead."""
        with connection_for(self.connection, None, "job.requeue()") as conn:
            client.retry(conn, job_id_of(self.id))
        return self

    func_name = property(lambda self: self._call[0].replace(":", "."))
    args = property(lambda self: self._call[1])
    kwargs = property(lambda self: self._call[2])
    origin = property(lambda self: self._seen.queue)
    created_at = property(lambda self: self._seen.created_at)
    enqueued_at = property(lambda self: self._seen.run_at)
    started_at = property(lambda self: self._seen.started_at)
    ended_at = property(lambda self: self._seen.finished_at)
    meta = property(lambda self: dict(self._seen.labels or {}))
    description = property(lambda self: (self._seen.labels or {}).get("description"))

    def get_meta(self, refresh: bool = True) -> dict[str, str]:
        """Its labels."""
        if refresh:
            self.refresh()
        labels: dict[str, str] = self.meta
        return labels

    @property
    def _seen(self) -> Record:
        if self._record is None:
            self.refresh()
        assert self._record is not None
        return self._record

    @property
    def _is_behind(self) -> bool:
        return self._seen.target == _PERFORMING[1]

    @property
    def _call(self) -> tuple[str, list[Any], dict[str, Any]]:
        """The function, and what it is called with."""
        record = self._seen
        if record.target in _PERFORMING and isinstance(record.args, dict):
            return record.args["function"], record.args["args"], record.args["kwargs"]
        given = record.args
        return record.target, given if isinstance(given, list) else [], given if isinstance(given, dict) else {}

    def _last_attempt(self) -> Attempt | None:
        with connection_for(self.connection, None, "job") as conn:
            found = client.attempts(conn, job_id_of(self.id))
        return next((each for each in reversed(found) if each.error_type), None)


def get_current_job(connection: Any = None, **_: object) -> Job | None:
    """The job that runs here; None outside of one."""
    context = running.get()
    return None if context is None else Job(str(context.id), connection)


def cancel_job(job_id: str, connection: Any = None, **_: object) -> None:
    """Cancel a job."""
    Job(job_id, connection).cancel()


def requeue_job(job_id: str, connection: Any = None, **_: object) -> Job:
    """Revive a dead job."""
    return Job(job_id, connection).requeue()
