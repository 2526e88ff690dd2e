"""Several messages to the database that count as one call: all or nothing, whatever transaction the caller has open."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import psycopg
from psycopg.pq import TransactionStatus

from pgqueue.store.connection import AsyncDriver, Driver


@contextmanager
def whole(raw: Driver, *, several: bool = False) -> Iterator[None]:
    """What goes wrong leaves the caller's transaction as it was, or not begun.

    `several` is whether there is more than one statement, which autocommit would commit one by one.
    """
    if _needs_block(raw, several):
        with raw.transaction():
            yield
        return
    try:
        yield
    except BaseException:
        with suppress(psycopg.Error):
            raw.rollback()
        raise


@asynccontextmanager
async def whole_async(raw: AsyncDriver, *, several: bool = False) -> AsyncIterator[None]:
    """As whole()."""
    if _needs_block(raw, several):
        async with raw.transaction():
            yield
        return
    try:
        yield
    except BaseException:
        with suppress(psycopg.Error):
            await raw.rollback()
        raise


def _needs_block(raw: Driver | AsyncDriver, several: bool) -> bool:
    """Whether to open a savepoint, or a transaction that ends with the call; else the statement begins the caller's."""
    status = raw.info.transaction_status
    return status == TransactionStatus.INTRANS or (status == TransactionStatus.IDLE and raw.autocommit and several)
