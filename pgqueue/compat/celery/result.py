"""Results: what became of a job, or of several, in Celery's words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pgqueue.client import attempts, cancel, get_job
from pgqueue.compat.celery.current import current
from pgqueue.compat.connecting import own_connection
from pgqueue.compat.ids import job_id_of
from pgqueue.compat.remote_errors import error_again
from pgqueue.elsewhere import missing_attribute
from pgqueue.encryption import Kind, Place, readable
from pgqueue.errors import JobFailed, JobNotFound, ResultTimeout, UsageError
from pgqueue.job import JobState
from pgqueue.options import Duration
from pgqueue.record import Attempt, Job
from pgqueue.waiting import Waited, wait_many

if TYPE_CHECKING:
    from pgqueue.compat.celery.app import Celery
    from pgqueue.compat.celery.group_result import GroupResult

_STATES: Mapping[JobState, str] = {
    JobState.RUNNING: "STARTED",
    JobState.RETRYING: "RETRY",
    JobState.SUCCEEDED: "SUCCESS",
    JobState.DEAD: "FAILURE",
    JobState.CANCELLED: "REVOKED",
}
NOT_IN_RESULTS: Mapping[str, str] = {
    "as_tuple": "keep the id, and make it again by AsyncResult(id)",
    "build_graph": "see `pgqueue workflows show`, or pgqueue.workflow_nodes(conn, workflow_id)",
    "graph": "see `pgqueue workflows show`, or pgqueue.workflow_nodes(conn, workflow_id)",
    "iterdeps": "say collect()",
    "on_ready": "let a job follow: link=, or @task(on_success=...)",
    "save": "keep the ids",
    "restore": "keep the ids, and make results of them by AsyncResult(id)",
    "then": "let a job follow: link=, or @task(on_success=...)",
}


class AsyncResult:
    """What became of one job. Each look is a question to the database, on a connection of its own."""

    def __init__(
        self,
        id: str | None,  # noqa: A002  # as Celery calls it
        app: Celery | None = None,
        task_name: str | None = None,
        parent: AsyncResult | GroupResult | None = None,
    ) -> None:
        self._id = id
        self._app = app
        self._task_name = task_name
        self.parent = parent
        self.children: list[AsyncResult | GroupResult] = []

    def __repr__(self) -> str:
        return f"<AsyncResult: {self._id}>"

    def __str__(self) -> str:
        return str(self._id)

    def __eq__(self, other: object) -> bool:
        return self._id == (other._id if isinstance(other, AsyncResult) else other)

    def __hash__(self) -> int:
        return hash(self._id)

    def __getattr__(self, name: str) -> Any:
        return missing_attribute("result", name, NOT_IN_RESULTS)

    @property
    def id(self) -> str:
        """The job's id, as a text."""
        assert self._id is not None, "it is told its id where the job is enqueued"
        return self._id

    task_id = property(lambda self: self.id)

    @property
    def app(self) -> Celery:
        """The app that it belongs to."""
        return self._app or current()

    def get(
        self,
        timeout: Duration | None = None,
        propagate: bool = True,
        interval: float = 0.5,
        no_ack: bool = True,
        follow_parents: bool = True,
        disable_sync_subtasks: bool = True,
        **_callbacks: None,
    ) -> Any:
        """What the task returned, waiting until the job has ended: woken by the database, whatever `interval` says.

        Raises what the task raised, if it is known here, else JobFailed; with propagate=False that is answered.
        Raises TimeoutError; JobNotFound if there is no such job, or it is not committed yet.
        """
        if _callbacks:
            raise UsageError(f"get() takes no {', '.join(sorted(_callbacks))}: it answers what the task returned")
        (waited,) = waited_for([self], timeout, not disable_sync_subtasks)
        return self.answer(waited, propagate, follow_parents)

    wait = get

    def answer(self, waited: Waited, propagate: bool = True, follow_parents: bool = True) -> Any:
        """What get() answers of a job that was waited for."""
        error = self._error(waited, follow_parents)
        if error is None:
            return self._value(waited)
        if propagate or isinstance(error, ResultTimeout | JobNotFound):
            raise error
        return error

    @property
    def state(self) -> str:
        """PENDING (it waits, or is not known), STARTED, RETRY, SUCCESS, FAILURE or REVOKED."""
        job = self._job()
        return "PENDING" if job is None else _STATES.get(job.state, "PENDING")

    status = state

    def ready(self) -> bool:
        """Whether the job has ended."""
        job = self._job()
        return job is not None and job.state.ended

    def successful(self) -> bool:
        """Whether it has succeeded."""
        return self.state == "SUCCESS"

    def failed(self) -> bool:
        """Whether it is dead."""
        return self.state == "FAILURE"

    @property
    def result(self) -> Any:
        """What the task returned, or the error that it raised; None before."""
        return self.get(timeout=5.0, propagate=False) if self.ready() else None

    info = result

    @property
    def traceback(self) -> str | None:
        """That of the last attempt that failed."""
        last = self._last_failure()
        return None if last is None else readable(last.traceback, Place(Kind.TRACEBACK, last.job_id))

    @property
    def date_done(self) -> datetime | None:
        """When it ended."""
        job = self._job()
        return None if job is None else job.finished_at

    @property
    def name(self) -> str | None:
        """The task's name."""
        job = None if self._task_name else self._job()
        return self._task_name if job is None else job.target.replace(":", ".")

    @property
    def args(self) -> Any:
        """What the job was called with by place."""
        job = self._job()
        return job.args if job is not None and isinstance(job.args, list) else []

    @property
    def kwargs(self) -> Any:
        """What it was called with by keyword."""
        job = self._job()
        return job.args if job is not None and isinstance(job.args, dict) else {}

    @property
    def queue(self) -> str | None:
        """The queue that it waits, or waited, under."""
        job = self._job()
        return None if job is None else job.queue

    @property
    def retries(self) -> int | None:
        """How often it was run again."""
        job = self._job()
        return None if job is None else max(0, job.attempt - 1)

    def revoke(
        self, connection: Any = None, terminate: bool = False, signal: object = None, wait: bool = False
    ) -> None:
        """Cancel the job; one that runs is told to end, and ended by force after 5 seconds under `process`."""
        if connection is not None:
            cancel(connection, job_id_of(self.id))
            return
        with own_connection(self.app.conf.dsn, "revoke()") as own:
            cancel(own, job_id_of(self.id))

    def forget(self) -> None:
        """Nothing: what a job returned is kept for a day, and pruned by the workers."""

    def collect(self, intermediate: bool = False, **get: Any) -> Iterator[tuple[AsyncResult | GroupResult, Any]]:
        """This one and those behind it, each with what it returned."""
        yield self, self.get(**get)
        for child in self.children:
            yield from child.collect(intermediate, **get)

    def _job(self) -> Job | None:
        with own_connection(self.app.conf.dsn, "result", autocommit=True) as conn:
            try:
                return get_job(conn, job_id_of(self.id))
            except JobNotFound:
                return None

    def _last_failure(self) -> Attempt | None:
        with own_connection(self.app.conf.dsn, "result", autocommit=True) as conn:
            found = attempts(conn, job_id_of(self.id))
        return next((each for each in reversed(found) if each.error_type), None)

    def _error(self, waited: Waited, follow_parents: bool) -> BaseException | None:
        """What it failed of: where it was called off, what failed in front of it."""
        if not isinstance(waited.error, JobFailed):
            return waited.error
        if follow_parents and waited.state is JobState.CANCELLED and self.parent is not None:
            failed = self.parent.failure()
            if failed is not None:
                return failed
        last = self._last_failure()
        again = None if last is None else error_again(last.error_type, last.error, waited.error)
        return waited.error if again is None else again

    def failure(self) -> BaseException | None:
        """What this one, or one in front of it, failed of; None if none did."""
        (waited,) = waited_for([self], 0, inside_job=True)
        return self._error(waited, follow_parents=True)

    def _value(self, waited: Waited) -> Any:
        if not waited.is_stored and not self.app.conf["result_backend"] and not self.app.conf["task_ignore_result"]:
            raise UsageError(
                f"job {self.id} has succeeded, and what it returned was not kept: say Celery(..., backend='pgqueue')"
            )
        return waited.result()


def waited_for(results: Sequence[AsyncResult], timeout: Duration | None, inside_job: bool) -> list[Waited]:
    """What became of these jobs, waiting until all have ended."""
    if not results:
        return []
    with own_connection(results[0].app.conf.dsn, "get()", autocommit=True) as conn:
        return wait_many(conn, [job_id_of(each.id) for each in results], timeout, inside_job=inside_job)
