"""Statements on a connection of asyncpg, in the transaction open there."""

from __future__ import annotations

import re
import sys
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Self

from psycopg.pq import TransactionStatus

from pgqueue.store.direct import Rows
from pgqueue.store.drivers.complaints import meant
from pgqueue.store.drivers.on_psycopg2 import block
from pgqueue.store.drivers.spelling import numbered, texts

_COPY = re.compile(r"\s*copy (\w+)\.(\w+) \(([\w,\s]+)\)\s+from stdin\s*")


def is_asyncpg(conn: object) -> bool:
    """Whether it is a connection of asyncpg, or one that a pool of it lends."""
    asyncpg = sys.modules.get("asyncpg")
    return asyncpg is not None and isinstance(conn, asyncpg.Connection | asyncpg.pool.PoolConnectionProxy)


class OnAsyncpg:
    """Has as much of psycopg's connection as the store uses."""

    # Outside of a transaction that somebody began, each statement is one.
    autocommit = True

    def __init__(self, conn: Any) -> None:
        self._conn = conn

    async def run(self, sql: str, params: Sequence[Any]) -> Rows:
        """Run a statement of ours, and answer its rows."""
        values, types = texts(params)
        kind = sys.modules["asyncpg"].Record
        with meant(self.errors):
            rows: Rows = await self._conn.fetch(numbered(sql, types), *values, record_class=kind)
        return rows

    async def copy(self, sql: str, rows: Iterable[str]) -> None:
        """Have the server read rows."""
        named = _COPY.fullmatch(sql)
        assert named is not None
        schema, table, columns = named.groups()
        with meant(self.errors):
            await self._conn.copy_to_table(
                table,
                schema_name=schema,
                columns=[column.strip() for column in columns.split(",")],
                source=_encoded(rows),
                format="text",
            )

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """A savepoint; where no transaction is open, one that ends with the block."""
        begin, end, undo = block(self.transaction_status == TransactionStatus.IDLE)
        await self._conn.execute(begin)
        try:
            yield
        except BaseException:
            with suppress(*self.errors):
                await self._conn.execute(undo)
            raise
        await self._conn.execute(end)

    async def rollback(self) -> None:
        """Nothing: what failed outside of a transaction has left nothing."""

    async def set_autocommit(self, _wanted: bool) -> None:
        """Nothing: it always is."""

    @property
    def info(self) -> Self:
        """Where psycopg has its transaction_status."""
        return self

    @property
    def transaction_status(self) -> TransactionStatus:
        """Whether a transaction is open; whether it is aborted asyncpg does not tell."""
        return TransactionStatus.INTRANS if self._conn.is_in_transaction() else TransactionStatus.IDLE

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What asyncpg raises."""
        asyncpg = sys.modules["asyncpg"]
        return asyncpg.PostgresError, asyncpg.InterfaceError, OSError

    @property
    def closed(self) -> bool:
        """Whether it is."""
        return bool(self._conn.is_closed())


async def _encoded(rows: Iterable[str]) -> AsyncIterator[bytes]:
    for text in rows:
        yield text.encode()
