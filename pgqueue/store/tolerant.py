"""Rows with a value that Python has no word for: a time beyond its calendar, text that is no text.

Anybody who may write to a table can leave one there, and it must not hide the rows beside it. Loading like this costs
more than usual, so it is for what could not be loaded otherwise.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import AdaptersMap, Transformer
from psycopg.pq.abc import PGresult
from psycopg.types.datetime import TimestamptzBinaryLoader
from psycopg.types.string import TextBinaryLoader

# What lies beyond the calendar, 'infinity' too, is shown at its ends: a day inside, so that any zone can show it.
EARLIEST = datetime(1, 1, 2, tzinfo=UTC)
LATEST = datetime(9999, 12, 30, tzinfo=UTC)
# What a loader raises for a value that it cannot say.
UNREADABLE = (psycopg.DataError, UnicodeDecodeError)


def was_loading(result: PGresult | None, error: Exception) -> PGresult:
    """The result whose loading raised `error`; raises `error` itself if the server did."""
    if result is None or getattr(error, "sqlstate", None) is not None:
        raise error
    return result


def is_raw(conn: psycopg.BaseConnection[Any]) -> bool:
    """Whether text comes as the bytes that it is, in no encoding that is known: psycopg would make no text of it."""
    return conn.pgconn.parameter_status(b"client_encoding") == b"SQL_ASCII"


def load_anyhow(conn: psycopg.BaseConnection[Any], result: PGresult) -> list[tuple[Any, ...]]:
    """The rows of a result, with the nearest value that Python has where it has none."""
    transformer = Transformer(_Context(conn))
    transformer.set_pgresult(result)
    return transformer.load_rows(0, result.ntuples, tuple)


class _MomentLoader(TimestamptzBinaryLoader):
    def load(self, data: Buffer) -> datetime:
        try:
            return super().load(data)
        except psycopg.DataError:
            # Microseconds since 2000 as a signed number: the first bit tells which end.
            return EARLIEST if data[0] & 0x80 else LATEST


class _TextLoader(TextBinaryLoader):
    def load(self, data: Buffer) -> str:
        try:
            return str(data, self._encoding or "utf-8")
        except UnicodeDecodeError:
            return bytes(data).decode("utf-8", "backslashreplace")


_ADAPTERS = AdaptersMap(psycopg.adapters)
_ADAPTERS.register_loader("timestamptz", _MomentLoader)
_ADAPTERS.register_loader("text", _TextLoader)


class _Context:
    adapters = _ADAPTERS

    def __init__(self, conn: psycopg.BaseConnection[Any]) -> None:
        self.connection = conn
