"""A statement sent below psycopg's cursors: for the client half of what it costs with one.

A cursor adapts anything, keeps whatever comes and can be asked again. A statement that psycopg has prepared on this
connection needs none of that: its values go to libpq under the name in psycopg's own book, so that whatever makes
psycopg forget the name (ROLLBACK, DISCARD ALL, a pooler) leads back to the cursor. That book is the one thing here that
psycopg does not document: where it is not found, the cursor serves.
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Generator, Sequence
from datetime import timedelta
from typing import Any

import psycopg
from psycopg import generators
from psycopg.abc import Transformer
from psycopg.adapt import AdaptersMap, PyFormat
from psycopg.adapt import Transformer as new_transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus, Format, TransactionStatus
from psycopg.types.array import BaseListDumper, ListBinaryDumper
from psycopg.types.datetime import TimedeltaBinaryDumper

from pgqueue.store.tolerant import UNREADABLE, load_anyhow


class _Arrays(ListBinaryDumper):
    """psycopg's, and in binary also where nothing but None is in one: the text NULL depends on array_nulls."""

    def upgrade(self, obj: list[Any], format: PyFormat) -> BaseListDumper:  # noqa: A002  # psycopg's name
        if any(item is not None for item in obj):
            return super().upgrade(obj, format)
        dumper = type(self)(self.cls, self._tx)
        dumper.oid = psycopg.postgres.types["text"].array_oid
        return dumper


class _Elapsed(TimedeltaBinaryDumper):
    """Without days: a day of an interval lasts 23 hours where the session's clocks change, and ours are 24 long."""

    def dump(self, obj: timedelta) -> bytes:
        return _INTERVAL.pack(obj // timedelta(microseconds=1), 0, 0)


# Microseconds, days, months.
_INTERVAL = struct.Struct("!qii")

# Our own, so that loaders and dumpers which the caller registered on the connection change nothing here.
ADAPTERS = AdaptersMap(psycopg.adapters)
ADAPTERS.register_dumper(list, _Arrays)
ADAPTERS.register_dumper(timedelta, _Elapsed)


Rows = Sequence[Sequence[Any]]
Sending = Generator[Any, Any, Rows]
_AUTO = [PyFormat.AUTO] * 64


def sending(raw: psycopg.BaseConnection[Any], sql: bytes, params: Sequence[Any]) -> Sending | None:
    """What sends the statement and answers its rows, if it can go this way; None if it needs a cursor.

    For the connection's wait(), under its lock: what psycopg forgets meanwhile would be missing on the server. It can
    go if it is prepared, in a session that needs no BEGIN before it and reads UTF-8.
    """
    pgconn = raw.pgconn
    names = getattr(getattr(raw, "_prepared", None), "_names", None)
    if (
        not names
        or pgconn.status != ConnStatus.OK
        or pgconn.pipeline_status
        or not (raw.autocommit or pgconn.transaction_status != TransactionStatus.IDLE)
        or pgconn.parameter_status(b"client_encoding") != b"UTF8"
    ):
        return None
    transformer = _own.transformer
    values = transformer.dump_sequence(params, _AUTO[: len(params)])
    name = names.get((sql, transformer.types))
    if name is None:
        return None
    pgconn.send_query_prepared(name, values, transformer.formats, Format.BINARY)
    return _rows(raw, transformer)


def sending_unprepared(raw: psycopg.BaseConnection[Any], sql: bytes, params: Sequence[Any]) -> Sending | None:
    """As sending(), of a statement that need not be prepared, and needs no BEGIN; None if a pipeline is under way."""
    pgconn = raw.pgconn
    if pgconn.status == ConnStatus.OK and pgconn.pipeline_status:
        return None
    transformer = new_transformer(_Context())
    values = transformer.dump_sequence(params, _AUTO[: len(params)])
    pgconn.send_query_params(sql, values, transformer.types, transformer.formats, Format.BINARY)
    # In whichever encoding the caller's session reads.
    return _rows(raw, transformer, anyhow=pgconn.parameter_status(b"client_encoding") != b"UTF8")


def _rows(raw: psycopg.BaseConnection[Any], transformer: Transformer, *, anyhow: bool = False) -> Sending:
    result = (yield from generators.execute(raw.pgconn))[-1]
    if result.status == ExecStatus.TUPLES_OK:
        if anyhow:
            return load_anyhow(raw, result)
        transformer.set_pgresult(result)
        try:
            rows: Rows = transformer.load_rows(0, result.ntuples, tuple)
        except UNREADABLE:
            rows = load_anyhow(raw, result)
        transformer.set_pgresult(None)
        return rows
    if result.status != ExecStatus.COMMAND_OK:
        raise error_from_result(result)
    return []


class _Own(threading.local):
    """One for each thread: it remembers which value is written how."""

    def __init__(self) -> None:
        self.transformer: Transformer = new_transformer(_Context())


class _Context:
    adapters = ADAPTERS
    connection = None


_own = _Own()
