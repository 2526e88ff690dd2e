"""result(): wait until a job has ended and answer what it returned.

Whoever waits in a process is woken by the same thread, on a connection of its own: see hearing/.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Protocol, overload
from uuid import UUID

from pgqueue.encryption import Kind, Place, decrypted
from pgqueue.hearing import Raw, check_may_wait, error_of, until_ended, waiting_on
from pgqueue.naming import JobRef, id_of
from pgqueue.options import Duration, check_duration
from pgqueue.retry import seconds
from pgqueue.sealing import opened
from pgqueue.store.connection import AnyConnection, AsyncConnection, SyncConnection


class Returning(Protocol):
    """Knows what a job returned: its task."""

    def returned(self, value: Any) -> Any:
        """A stored result as the function returned it."""


@overload
def result(
    conn: SyncConnection,
    job_id: JobRef,
    timeout: Duration | None = None,
    *,
    inside_job: bool = False,
    task: Returning | None = None,
) -> Any: ...
@overload
def result(
    conn: AsyncConnection,
    job_id: JobRef,
    timeout: Duration | None = None,
    *,
    inside_job: bool = False,
    task: Returning | None = None,
) -> Awaitable[Any]: ...
def result(
    conn: AnyConnection,
    job_id: JobRef,
    timeout: Duration | None = None,
    *,
    inside_job: bool = False,
    task: Returning | None = None,
) -> Any:
    """What a job returned, waiting until it has ended, at most `timeout` (seconds or a timedelta; None: for ever).

    None if the task returned None, or the result was not asked for (`store_result`) or has expired (after a day).
    It is what JSON has of it; with the `task` as its annotation says (task.result() is typed, too).
    While it waits others may use the connection; one more, shared by all who wait in this process, hears what ends.

    Raises JobFailed, with the remote traceback, if the job is dead or cancelled; JobNotFound; ResultTimeout; CodecError
    if it was written by a codec that is not here; UsageError in a transaction that cannot see it end, and inside a job,
    whose slot would wait for another slot, unless `inside_job` says that it may.
    """
    check_may_wait("result()", inside_job)
    check_duration("timeout", timeout, zero=True, infinite=True)
    wanted, limit = id_of(job_id), None if timeout is None else seconds(timeout)

    async def wait(raw: Raw) -> Any:
        standing = (await until_ended(raw, [wanted], limit, caller="result()"))[wanted]
        if (error := error_of(standing, limit)) is not None:
            raise error
        return as_returned(wanted, standing.result, task)

    return waiting_on(conn, wait)


def as_returned(job_id: UUID, stored: Any, task: Returning | None) -> Any:
    """What is stored of a result, opened; with its task as the function returned it. Raises CodecError."""
    value = opened(decrypted(stored, Place(Kind.RESULT, job_id)))
    return value if task is None else task.returned(value)
