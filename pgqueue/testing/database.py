"""One scratch database, as a test has it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from types import TracebackType
from typing import Any, Self

import psycopg


class ScratchDatabase:
    """A database with pgqueue's schema, for one test, or for all of a process. Dropped when it is closed."""

    def __init__(self, name: str, dsn: str, drop: Callable[[], None]) -> None:
        self.name = name
        self.dsn = dsn
        self._drop = drop
        self._opened: list[psycopg.Connection[Any]] = []
        self._is_closed = False

    def __repr__(self) -> str:
        return f"<ScratchDatabase {self.name}>"

    def connect(self, **options: Any) -> psycopg.Connection[Any]:
        """A connection, closed with the database; `options` are those of psycopg.connect()."""
        self._opened.append(psycopg.connect(self.dsn, **options))
        return self._opened[-1]

    async def connect_async(self, **options: Any) -> psycopg.AsyncConnection[Any]:
        """An async connection, which is yours to close."""
        return await psycopg.AsyncConnection.connect(self.dsn, **options)

    @contextmanager
    def rolled_back(self, **options: Any) -> Iterator[psycopg.Connection[Any]]:
        """A connection whose transaction is rolled back in the end: nothing of it is left for the next test."""
        conn = psycopg.connect(self.dsn, **options)
        try:
            yield conn
        finally:
            with suppress(psycopg.Error):
                conn.rollback()
            conn.close()

    @asynccontextmanager
    async def rolled_back_async(self, **options: Any) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """As rolled_back(), for coroutines."""
        conn = await psycopg.AsyncConnection.connect(self.dsn, **options)
        try:
            yield conn
        finally:
            with suppress(psycopg.Error):
                await conn.rollback()
            await conn.close()

    def close(self) -> None:
        """Close its connections and drop it; may be called twice."""
        while self._opened:
            self._opened.pop().close()
        if not self._is_closed:
            self._is_closed = True
            self._drop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
