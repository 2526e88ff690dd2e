"""The way of a workflow into the database: all of it in the transaction open on the caller's connection, or nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator
from typing import Any
from uuid import UUID

from pgqueue import sending
from pgqueue.job import NewJob
from pgqueue.store import copying, execute
from pgqueue.store import workflow_writing as writing
from pgqueue.store.asking import telling
from pgqueue.store.connection import ASYNC, AnyConnection, awaited, driver, driver_async, is_async
from pgqueue.store.meaning import TOLD, told
from pgqueue.store.sync_or_async import answer, at_once
from pgqueue.store.whole import whole, whole_async
from pgqueue.store.workflow_rows import MemberRow, Rows
from pgqueue.workflows.batch_rows import BatchRows
from pgqueue.workflows.compiled import Compiled
from pgqueue.workflows.started import Started


def send(conn: AnyConnection, compiled: Compiled) -> Started | Awaitable[Started]:
    """Enqueue a workflow; awaitable if `conn` is async."""
    if is_async(conn):
        return telling(_send_async(conn, compiled))
    raw = driver(conn)
    if isinstance(raw, ASYNC):
        return awaited(telling(_send_async(raw, compiled)))
    try:
        with whole(raw, several=True):
            started = at_once(_written(raw, compiled))
    except TOLD as error:
        raise told(error) from error
    if sending.diverted is not None and started.created:
        sending.diverted.workflow(raw, started.id)
    return started


async def _send_async(conn: Any, compiled: Compiled) -> Started:
    raw = await driver_async(conn)
    async with whole_async(raw, several=True):
        started = await _written(raw, compiled)
    if sending.diverted is not None and started.created:
        await answer(sending.diverted.workflow(raw, started.id))
    return started


async def _written(raw: writing.Raw, compiled: Compiled) -> Started:
    made = await answer(execute(raw, writing.begin(compiled.head)))
    if not made.created:
        return Started(made.id, False)
    seen: list[tuple[BatchRows, list[UUID]]] = []
    try:
        await _write(raw, compiled, seen)
    except BaseException as error:
        for batch, _ in seen:
            batch.told((), error)
        raise
    for batch, ids in seen:
        batch.told(ids, None)
    return Started(made.id, True)


async def _write(raw: writing.Raw, compiled: Compiled, seen: list[tuple[BatchRows, list[UUID]]]) -> None:
    """Few jobs as one statement; more by COPY, as their iterators yield them."""
    few: list[MemberRow] = []
    batches = _watched(compiled, seen)
    for rows in batches:
        few += rows
        if len(few) >= writing.FEWEST:
            break
    copies = len(few) >= writing.FEWEST and copying.is_possible(raw)
    if not copies:
        # A pipeline knows no COPY.
        for rows in batches:
            few += rows
        said = Rows(compiled.nodes(), compiled.gates(), few)
        await answer(execute(raw, writing.members(compiled.head.id, said)))
        return
    queues: dict[tuple[str | None, str | None], NewJob] = {}
    await _copy(raw, compiled, few, queues)
    del few
    for rows in batches:
        await _copy(raw, compiled, rows, queues)
    await writing.copy_graph(raw, compiled.head.id, compiled.nodes(), compiled.gates())
    if (wake := writing.to_wake(list(queues.values()))) is not None:
        await answer(execute(raw, wake))


def _watched(compiled: Compiled, seen: list[tuple[BatchRows, list[UUID]]]) -> Iterator[list[MemberRow]]:
    """The rows; who looks on is remembered, to be told in the end."""
    for batch, rows in compiled.batches():
        if batch.is_watched:
            seen.append((batch, [row.id for row in rows]))
        yield rows


async def _copy(
    raw: writing.Raw,
    compiled: Compiled,
    rows: list[MemberRow],
    queues: dict[tuple[str | None, str | None], NewJob],
) -> None:
    await writing.copy_members(raw, compiled.head.id, rows)
    for row in rows:
        if row.gate is None and row.new.notify is None:
            queues.setdefault((row.new.queue, row.new.name if row.new.queue is None else None), row.new)
