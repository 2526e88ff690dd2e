"""What is done to durable functions from outside: signals to them, a look at their steps, and forks.

Each runs one statement on the caller's connection, in the caller's transaction; with an async connection it returns an
awaitable.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import overload
from uuid import UUID

from pgqueue import encryption
from pgqueue.codec import encode
from pgqueue.durable.forking import forked
from pgqueue.encryption import Kind
from pgqueue.naming import JobRef, id_of
from pgqueue.options import check_integer, check_name
from pgqueue.record import Step
from pgqueue.store import durable
from pgqueue.store.asking import ask, required
from pgqueue.store.connection import AnyConnection, AsyncConnection, SyncConnection, is_async
from pgqueue.store.kept_values import kept_value
from pgqueue.store.sync_or_async import answer, at_once


@overload
def signal(conn: SyncConnection, job_id: JobRef, event: str, payload: object = None) -> bool: ...
@overload
def signal(conn: AsyncConnection, job_id: JobRef, event: str, payload: object = None) -> Awaitable[bool]: ...
def signal(conn: AnyConnection, job_id: JobRef, event: str, payload: object = None) -> bool | Awaitable[bool]:
    """Send a job what it waits for, or will, by ctx.wait_for(event): it goes on when the caller's transaction commits.

    The first of a name counts. False if there was one before, or the job has ended. `payload` is JSON. Raises
    JobNotFound, OptionError, ArgumentError. Waits for whoever sends the same at this moment. O(log n).
    """
    wanted = id_of(job_id)
    check_name("event", event)
    text = encode(payload, "payload")
    if not encryption.is_on():
        return ask(conn, required(durable.signal(wanted, event, text), wanted))
    return _sent(conn, wanted, event, text) if is_async(conn) else at_once(_sent(conn, wanted, event, text))


async def _sent(conn: AnyConnection, job_id: UUID, event: str, text: str) -> bool:
    kept = await kept_value(conn, job_id, Kind.SIGNAL, text, event)
    first: bool = await answer(ask(conn, required(durable.signal(job_id, event, kept), job_id)))
    return first


@overload
def fork(conn: SyncConnection, job_id: JobRef, step: str) -> UUID: ...
@overload
def fork(conn: AsyncConnection, job_id: JobRef, step: str) -> Awaitable[UUID]: ...
def fork(conn: AnyConnection, job_id: JobRef, step: str) -> UUID | Awaitable[UUID]:
    """Enqueue a job that remembers what this one had done before a step, and goes on there; answers its id.

    For a workflow whose step came to something wrong: mend the code, and fork. The old job stays as it is; cancel it,
    if it has not ended. Raises JobNotFound, OptionError if it has no such step, and EncryptionError for want of a key.
    O(steps log n).
    """
    wanted = id_of(job_id)
    check_name("step", step)
    return forked(conn, wanted, step) if is_async(conn) else at_once(forked(conn, wanted, step))


@overload
def steps(conn: SyncConnection, job_id: JobRef, *, limit: int = 1_000, after: Step | None = None) -> list[Step]: ...
@overload
def steps(
    conn: AsyncConnection, job_id: JobRef, *, limit: int = 1_000, after: Step | None = None
) -> Awaitable[list[Step]]: ...
def steps(
    conn: AnyConnection, job_id: JobRef, *, limit: int = 1_000, after: Step | None = None
) -> list[Step] | Awaitable[list[Step]]:
    """What a durable function remembers, in order: at most `limit`, behind `after`, the last one of those before.

    Empty for a job that has no steps, or is not known. Raises OptionError. O(steps).
    """
    check_integer("limit", limit, 1, 10_000)
    return ask(conn, durable.steps(id_of(job_id), limit, -1 if after is None else after.nth))
