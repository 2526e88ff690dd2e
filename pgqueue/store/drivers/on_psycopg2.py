"""Statements on a connection of psycopg2, in the transaction open there."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any, Self

import psycopg
from psycopg.pq import TransactionStatus

from pgqueue.store.direct import Rows
from pgqueue.store.drivers.complaints import meant
from pgqueue.store.drivers.spelling import loaded, named, texts


def is_psycopg2(conn: object) -> bool:
    """Whether it is a connection of psycopg2."""
    extensions = sys.modules.get("psycopg2.extensions")
    return extensions is not None and isinstance(conn, extensions.connection)


class OnPsycopg2:
    """Has as much of psycopg's connection as the store uses. Typecasters and factories of the caller stay unused."""

    def __init__(self, conn: Any) -> None:
        self._conn = conn

    def run(self, sql: str, params: Sequence[Any]) -> Rows:
        """Run a statement of ours, and answer its rows."""
        values, _ = texts(params)
        with self._cursor() as cursor:
            with meant(self.errors):
                cursor.execute(named(sql), {str(number): value for number, value in enumerate(values, 1)})
            if cursor.description is None:
                return []
            return loaded(cursor.fetchall(), [column.type_code for column in cursor.description])

    def copy(self, sql: str, rows: Iterable[str]) -> None:
        """Have the server read rows."""
        source = _Source(rows)
        with self._cursor() as cursor, meant(self.errors):
            try:
                cursor.copy_expert(sql, source)
            except self.errors:
                if source.error is not None:
                    raise source.error from None
                raise

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A savepoint; where no transaction is open, one that ends with the block."""
        begin, end, undo = block(self.transaction_status == TransactionStatus.IDLE)
        self._say(begin)
        try:
            yield
        except BaseException:
            with suppress(*self.errors):
                self._say(undo)
            raise
        self._say(end)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """No transaction is begun in the block; one that is open stays so."""
        before = self.autocommit
        if self.transaction_status == TransactionStatus.IDLE:
            self.autocommit = True
        try:
            yield
        finally:
            if not self.closed:
                self.autocommit = before

    def rollback(self) -> None:
        """Undo what the transaction did."""
        self._conn.rollback()

    @property
    def info(self) -> Self:
        """Where psycopg has its transaction_status."""
        return self

    @property
    def transaction_status(self) -> TransactionStatus:
        """As libpq says it."""
        return TransactionStatus(self._conn.info.transaction_status)

    @property
    def closed(self) -> bool:
        """Whether it is."""
        return bool(self._conn.closed)

    @property
    def autocommit(self) -> bool:
        """Whether each statement outside of a transaction is one."""
        return bool(self._conn.autocommit)

    @autocommit.setter
    def autocommit(self, wanted: bool) -> None:
        if self._conn.autocommit != wanted:
            self._conn.autocommit = wanted

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What psycopg2 raises."""
        return (sys.modules["psycopg2"].Error,)

    def _say(self, sql: str) -> None:
        with self._cursor() as cursor:
            cursor.execute(sql)

    def _cursor(self) -> Any:
        extensions = sys.modules["psycopg2.extensions"]
        cursor = self._conn.cursor(cursor_factory=extensions.cursor)
        extensions.register_type(_as_texts(), cursor)
        return cursor


def block(is_idle: bool) -> tuple[str, str, str]:
    """What begins a block that is all or nothing, what ends it, and what undoes it."""
    if is_idle:
        return "begin", "commit", "rollback"
    undo = "rollback to savepoint pgqueue; release savepoint pgqueue"
    return "savepoint pgqueue", "release savepoint pgqueue", undo


@cache
def _as_texts() -> Any:
    """A typecaster for every type that leaves values as they come."""
    types = [oid for info in psycopg.adapters.types for oid in (info.oid, info.array_oid) if oid]
    return sys.modules["psycopg2.extensions"].new_type(tuple(types), "AS_TEXT", lambda text, _cursor: text)


class _Source:
    """A file that psycopg2 reads; `error` is what making the rows raised, which it would tell as one of the server."""

    def __init__(self, rows: Iterable[str]) -> None:
        self._rows = iter(rows)
        self.error: BaseException | None = None

    def read(self, _size: int) -> str:
        """The next rows, as many as there are at once; nothing at the end."""
        try:
            return next(self._rows, "")
        except BaseException as error:
            self.error = error
            raise

    def readline(self, _size: int) -> str:
        """psycopg2 wants it to be there."""
        return self.read(_size)
