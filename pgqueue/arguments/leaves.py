"""Readers of what JSON has as one text or number: moments, ids, decimals, bytes, paths, members of enums."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any
from uuid import UUID

from pgqueue.arguments.durations import duration_of
from pgqueue.arguments.mismatch import Mismatch, Reader
from pgqueue.arguments.writing import Unwritable, written


def leaf_of(kind: type) -> Reader | None:
    """The reader of a class whose values are one text in JSON; None for other classes."""
    if issubclass(kind, Enum):
        return members(kind.__name__, {member: member for member in kind.__members__.values()}, kind)
    for known, make in _MAKERS.items():
        # A datetime is a date, and comes before it.
        if issubclass(kind, known):
            return make(kind)
    return None


def members(said: str, values: Mapping[Any, Any], kind: type[Enum] | None = None) -> Reader:
    """The reader of one of some values, by what JSON has of each; `kind` may know more of them."""
    by_text: dict[str, Any] = {}
    for value, member in values.items():
        try:
            by_text[json.dumps(written(value))] = member
        except Unwritable:
            continue
    known = f"one of {', '.join(list(by_text)[:20])}"

    def read(value: Any) -> Any:
        try:
            return by_text[json.dumps(value)]
        except (KeyError, TypeError, ValueError):
            pass
        if kind is not None:
            if isinstance(value, kind):
                return value
            try:
                # Flags together, and what an enum makes of others itself.
                return kind(value)
            except Exception:  # Its own _missing_() may raise whatever it likes.
                pass
        raise Mismatch(f"{said}, {known}" if said else known, value)

    return read


def integer_key(text: Any) -> Any:
    """A key that was a whole number."""
    if type(text) is str and len(text) <= 1001 and text.removeprefix("-").isdecimal():
        return int(text)
    raise Mismatch("a whole number as a key", text)


def _datetime(kind: Any) -> Reader:
    expected = "a datetime with its offset, as 2026-02-28T09:30:00+00:00"

    def read(value: Any) -> Any:
        if type(value) is str:
            try:
                moment = kind.fromisoformat(value)
            except ValueError:
                raise Mismatch(expected, value) from None
            if moment.utcoffset() is not None:
                return moment
        elif isinstance(value, kind):
            return value
        raise Mismatch(expected, value)

    return read


def _date(kind: Any) -> Reader:
    def read(value: Any) -> Any:
        if type(value) is str and len(value) == 10:
            try:
                return kind.fromisoformat(value)
            except ValueError:
                pass
        elif isinstance(value, kind):
            return value
        raise Mismatch("a date as 2026-02-28", value)

    return read


def _time(kind: Any) -> Reader:
    def read(value: Any) -> Any:
        if type(value) is str:
            try:
                return kind.fromisoformat(value)
            except ValueError:
                pass
        elif isinstance(value, kind):
            return value
        raise Mismatch("a time as 09:30:00", value)

    return read


def _timedelta(kind: Any) -> Reader:
    def read(value: Any) -> Any:
        try:
            if type(value) is str:
                length = duration_of(value)
                return length if kind is timedelta else kind(seconds=0) + length
            if type(value) in (int, float):
                return kind(seconds=value)
        except (ValueError, OverflowError):
            pass
        if isinstance(value, kind):
            return value
        raise Mismatch("a duration as PT90S or P1DT2H, or its seconds", value)

    return read


def _uuid(kind: Any) -> Reader:
    def read(value: Any) -> Any:
        if type(value) is str and len(value) == 36:
            try:
                return kind(value)
            except ValueError:
                pass
        elif isinstance(value, kind):
            return value
        raise Mismatch("a UUID as 018f2b3c-0000-7000-8000-000000000000", value)

    return read


def _decimal(kind: Any) -> Reader:
    def read(value: Any) -> Any:
        try:
            if type(value) is str or type(value) is int:
                found = kind(value)
            elif type(value) is float:
                # As it was written, as far as a float has kept it.
                found = kind(repr(value))
            else:
                found = value
        except (ArithmeticError, ValueError):
            found = None
        if isinstance(found, kind) and found.is_finite():
            return found
        raise Mismatch('a decimal number as "12.50"', value)

    return read


def _bytes(kind: Any) -> Reader:
    def read(value: Any) -> Any:
        if type(value) is str:
            try:
                return kind(base64.b64decode(value, validate=True))
            except ValueError:
                pass
        elif isinstance(value, kind):
            return value
        raise Mismatch("bytes as base64", value)

    return read


def _path(kind: Any) -> Reader:
    def read(value: Any) -> Any:
        if type(value) is str:
            return kind(value)
        if isinstance(value, PurePath):
            return value
        raise Mismatch("a path as a text", value)

    return read


_MAKERS: dict[type, Callable[[Any], Reader]] = {
    datetime: _datetime,
    date: _date,
    time: _time,
    timedelta: _timedelta,
    UUID: _uuid,
    Decimal: _decimal,
    bytes: _bytes,
    bytearray: _bytes,
    PurePath: _path,
}
