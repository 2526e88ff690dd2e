"""The way of new jobs into the database, with what looks on; without, it is the statement alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from inspect import isawaitable
from typing import Any, Protocol, TypeVar, overload
from uuid import UUID

import psycopg

from pgqueue import enqueuing, instruments, signing
from pgqueue.codec import args_of
from pgqueue.enqueued import Enqueued
from pgqueue.instruments import Headers, SendingWatch
from pgqueue.job import NewJob
from pgqueue.signing import Signer
from pgqueue.store import batches, bulk, enqueueing, execute, spawning, tenants
from pgqueue.store.asking import ask, telling
from pgqueue.store.connection import (
    ASYNC,
    AnyConnection,
    AsyncConnection,
    SyncConnection,
    driver,
    driver_async,
    is_async,
)
from pgqueue.store.kept_args import kept_args
from pgqueue.store.meaning import TOLD, told
from pgqueue.store.sync_or_async import at_once
from pgqueue.store.whole import whole, whole_async

T = TypeVar("T")


class Diverted(Protocol):
    """What new jobs are handed to in place of the database alone: a test's that runs them at once."""

    def one(self, conn: AnyConnection, new: NewJob) -> Enqueued | Awaitable[Enqueued]:
        """As send_one()."""

    def many(self, conn: AnyConnection, batch: Sequence[NewJob]) -> list[UUID] | Awaitable[list[UUID]]:
        """As send_many()."""

    def workflow(self, conn: AnyConnection, workflow_id: UUID) -> Awaitable[None] | None:
        """A workflow has been written."""


diverted: Diverted | None = None


@overload
def send_one(conn: SyncConnection, new: NewJob) -> Enqueued: ...
@overload
def send_one(conn: AsyncConnection, new: NewJob) -> Awaitable[Enqueued]: ...
def send_one(conn: AnyConnection, new: NewJob) -> Enqueued | Awaitable[Enqueued]:
    """Enqueue one job; awaitable if `conn` is async."""
    return plain_one(conn, new) if diverted is None else diverted.one(conn, new)


def plain_one(conn: Any, new: NewJob) -> Any:
    """Enqueue one job, and no more."""
    headers: Sequence[Headers] = ()
    if enqueuing.registered:
        (new,), headers = enqueuing.adjusted([new])
    signer = signing.signer()
    if instruments.installed or signer is not None or any(headers):
        return _watched(
            conn, [new], lambda watch: _one(conn, new, watch.headers[0], signer), lambda made: [made.id], headers
        )
    return ask(conn, enqueueing.enqueue(new))


def send_many(conn: AnyConnection, batch: Sequence[NewJob]) -> list[UUID] | Awaitable[list[UUID]]:
    """Enqueue many; awaitable if `conn` is async."""
    return plain_many(conn, batch) if diverted is None else diverted.many(conn, batch)


def plain_many(conn: Any, batch: Sequence[NewJob]) -> Any:
    """Enqueue many, and no more."""
    headers: Sequence[Headers] = ()
    if enqueuing.registered:
        batch, headers = enqueuing.adjusted(batch)
    signer = signing.signer()
    if instruments.installed or signer is not None or any(headers):
        return _watched(conn, batch, lambda watch: _many(conn, batch, watch.headers, signer), list, headers)
    return _plainly(conn, batch)


def _plainly(conn: AnyConnection, batch: Sequence[NewJob]) -> list[UUID] | Awaitable[list[UUID]]:
    way = bulk.copy if bulk.is_plain(conn, batch) else batches.send
    if is_async(conn):
        return telling(way(conn, batch))
    try:
        return way(conn, batch)
    except TOLD as error:
        raise told(error) from error


def _watched(
    conn: AnyConnection,
    new_jobs: Sequence[NewJob],
    send: Callable[[SendingWatch], Coroutine[Any, Any, T]],
    ids: Callable[[T], Sequence[UUID]],
    headers: Sequence[Headers] = (),
) -> T | Awaitable[T]:
    server = None
    with suppress(Exception):
        server = _server_of(conn)
    watch = SendingWatch(new_jobs, server, headers)

    async def watched() -> T:
        try:
            answer = await send(watch)
        except BaseException as error:
            watch.ended((), error)
            raise
        watch.ended(ids(answer), None)
        return answer

    return watched() if is_async(conn) else at_once(watched())


async def _one(conn: AnyConnection, new: NewJob, headers: str | None, signer: Signer | None) -> Enqueued:
    signer = await _of_session(conn, signer)
    if signer is not None and new.on_conflict == "replace":
        return await _together(conn, lambda: _replacing(conn, new, headers, signer))
    if headers is None or signer is not None or enqueueing.is_plain(new):
        made: Enqueued = await _answered(ask(conn, enqueueing.enqueue(new, headers, signer)))
        return made

    async def noted() -> Enqueued:
        made: Enqueued = await _answered(ask(conn, enqueueing.enqueue(new, headers)))
        if made.created:
            await _answered(execute(conn, enqueueing.note_headers([made.id], [headers])))
        return made

    return await _together(conn, noted)


async def _replacing(conn: AnyConnection, new: NewJob, headers: str | None, signer: Signer) -> Enqueued:
    """A job that was there has kept its id: what says now what it is to do is signed for that one."""
    job_id = spawning.with_id(new)
    kept = kept_args(new, args_of(new), job_id)
    text = spawning.written(new, headers, job_id=job_id, kept=kept, signer=signer)
    made: Enqueued
    (made,) = await _answered(ask(conn, spawning.enqueue([text])))
    if made.replaced:
        await _answered(execute(conn, spawning.sealed_anew(new, made.id, kept, headers, signer)))
    return made


async def _many(
    conn: AnyConnection, batch: Sequence[NewJob], headers: Sequence[str | None], signer: Signer | None
) -> list[UUID]:
    signer = await _of_session(conn, signer)
    if bulk.is_plain(conn, batch):
        copied: list[UUID] = await _answered(bulk.copy(conn, batch, headers, signer))
        return copied
    if signer is not None:
        return await _signed_many(conn, batch, headers, signer)

    async def noted() -> list[UUID]:
        ids: list[UUID] = await _answered(_plainly(conn, batch))
        told = zip(batch, ids, headers, strict=True)
        # Of a job that was there already the call knows nothing; it has its own.
        found = {job: text for new, job, text in told if text is not None and new.job_id is None}
        if found:
            await _answered(execute(conn, enqueueing.note_headers(list(found), list(found.values()))))
        return ids

    return await _together(conn, noted)


async def _of_session(conn: AnyConnection, signer: Signer | None) -> Signer | None:
    """What signs for the tenant for which the session acts, where that is to be signed."""
    if signer is None or not signer.tenants:
        return signer
    return signer.acting_for(await _answered(execute(conn, tenants.acting_for())))


async def _signed_many(
    conn: AnyConnection, batch: Sequence[NewJob], headers: Sequence[str | None], signer: Signer
) -> list[UUID]:
    """As JSON, which has the headers, in pieces of a bounded size: all or nothing, as batches.send()."""
    made: dict[int, Enqueued] = {}

    async def sent() -> None:
        for numbers in batches.pieces(batch):
            some = [(number, batch[number], spawning.with_id(batch[number])) for number in numbers]
            kept = {number: kept_args(new, args_of(new), job_id) for number, new, job_id in some}
            texts = [
                spawning.written(new, headers[number], job_id=job_id, kept=kept[number], signer=signer)
                for number, new, job_id in some
            ]
            answers = await _answered(ask(conn, spawning.enqueue(texts)))
            made.update(zip(numbers, answers, strict=True))
            for number, new, _ in some:
                if (one := made[number]).replaced:
                    anew = spawning.sealed_anew(new, one.id, kept[number], headers[number], signer)
                    await _answered(execute(conn, anew))

    await _together(conn, sent)
    return [made[number].id for number in range(len(batch))]


async def _together(conn: AnyConnection, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Both statements in one transaction, also where each would be one: no worker claims a job without its headers."""
    if is_async(conn):
        async with whole_async(await driver_async(conn), several=True):
            return await work()
    raw = driver(conn)
    if isinstance(raw, ASYNC):
        return await work()
    with whole(raw, several=True):
        return await work()


async def _answered(answer: Any) -> Any:
    return await answer if isawaitable(answer) else answer


def _server_of(conn: Any) -> tuple[str, int] | None:
    """The host and the port, as far as they can be known without asking."""
    if isinstance(conn, psycopg.Connection | psycopg.AsyncConnection):
        return conn.info.host, conn.info.port
    url = (conn.get_bind() if hasattr(conn, "get_bind") else conn).engine.url
    return (url.host, url.port or 5432) if url.host else None
