"""wait_many(): wait for several jobs at once, and learn of each what became of it."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from typing import Any, overload
from uuid import UUID

from pgqueue.errors import JobFailed, JobNotFound, ResultTimeout, UsageError
from pgqueue.hearing import Raw, check_may_wait, error_of, until_ended, waiting_on
from pgqueue.job import JobState
from pgqueue.naming import JobRef, id_of
from pgqueue.options import Duration, check_duration
from pgqueue.retry import seconds
from pgqueue.returned import Returning, as_returned
from pgqueue.store.awaiting import Standing
from pgqueue.store.connection import AnyConnection, AsyncConnection, SyncConnection


@dataclass(frozen=True, slots=True)
class Waited:
    """What became of a job that was waited for.

    `state` is None if there is no such job. `value` is what the task returned, None if no result `is_stored`. `error`
    is None if it succeeded; else JobFailed with the remote traceback, JobNotFound, or ResultTimeout if it goes on.
    """

    id: UUID
    state: JobState | None
    value: Any
    is_stored: bool
    error: JobFailed | JobNotFound | ResultTimeout | None

    @property
    def ended(self) -> bool:
        """Whether there is nothing more to wait for."""
        return self.state is None or self.state.ended

    def result(self, task: Returning | None = None) -> Any:
        """What the task returned, as pgqueue.result() answers it; raises `error` if there is one."""
        if self.error is not None:
            raise self.error
        return as_returned(self.id, self.value, task)


@overload
def wait_many(
    conn: SyncConnection,
    job_ids: Iterable[JobRef],
    timeout: Duration | None = None,
    *,
    first: bool = False,
    inside_job: bool = False,
) -> list[Waited]: ...
@overload
def wait_many(
    conn: AsyncConnection,
    job_ids: Iterable[JobRef],
    timeout: Duration | None = None,
    *,
    first: bool = False,
    inside_job: bool = False,
) -> Awaitable[list[Waited]]: ...
def wait_many(
    conn: AnyConnection,
    job_ids: Iterable[JobRef],
    timeout: Duration | None = None,
    *,
    first: bool = False,
    inside_job: bool = False,
) -> Any:
    """Wait until all of these jobs have ended, or the `first` of them; answers a Waited for each id, in their order.

    After `timeout` (seconds or a timedelta; None: for ever) those that have not ended are answered as they are. What
    went wrong with a job is raised by its Waited.result() alone.

    Raises UsageError in a transaction that cannot see them end, and inside a job unless `inside_job` says that it may.
    A look costs O(jobs log n), 500 jobs a statement: at all of them at first, and then at those that were heard of.
    """
    check_may_wait("wait_many()", inside_job)
    check_duration("timeout", timeout, zero=True, infinite=True)
    if isinstance(job_ids, str | bytes):
        raise UsageError(f"job_ids must be several ids, got {job_ids!r:.80}; for one job there is result()")
    wanted, limit = [id_of(each) for each in job_ids], None if timeout is None else seconds(timeout)

    async def wait(raw: Raw) -> list[Waited]:
        found = await until_ended(raw, wanted, limit, caller="wait_many()", first=first)
        return [_waited(found[each], limit) for each in wanted]

    return waiting_on(conn, wait)


def _waited(standing: Standing, timeout: float | None) -> Waited:
    return Waited(standing.id, standing.state, standing.result, standing.is_stored, error_of(standing, timeout))
