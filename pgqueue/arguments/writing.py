"""Values as JSON has them, each by its own type: who enqueues need not know the function that is called.

What a reader of another language meets stands in docs/guides/arguments.md; reading.py reads it again.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from inspect import signature
from pathlib import PurePath
from typing import Any
from uuid import UUID

from pgqueue.arguments.durations import iso_duration
from pgqueue.arguments.refusals import advice, is_of_orm

# Deeper nesting breaks parsers on the way (Python's own at about 1,000 levels).
MAX_DEPTH = 200
_TOO_LONG = 10**1000


class Unwritable(Exception):
    """What JSON cannot hold, and what to do; the trail leads to it, its last step first."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why
        self.trail: list[str | int] = []

    def path(self, name: str) -> str:
        """Where it stands below `name`: args["user"][0]."""
        return path_of(name, self.trail)


def path_of(name: str, trail: list[str | int]) -> str:
    """A place below `name`, whose steps are told from within."""
    steps = "".join(f"[{step}]" if isinstance(step, int) else f'["{step}"]' for step in reversed(trail))
    path = f"{name}{steps}"
    return path if len(path) <= 200 else f"{path[:80]}..."


def written(value: object, depth: int = 0) -> Any:
    """The value as json.dumps() takes it. Raises Unwritable."""
    kind = type(value)
    if kind is str:
        return _text(value)
    if value is None or kind is bool:
        return value
    if isinstance(value, _SCALARS):
        # Enums that are texts or numbers, too: JSON has their values.
        return _scalar(value)
    if depth >= MAX_DEPTH:
        raise Unwritable(f"nested deeper than {MAX_DEPTH} levels (or in a circle); flatten it")
    if isinstance(value, _LISTS):
        return _list(value, depth + 1)
    if isinstance(value, dict):
        return _object(value.items(), depth + 1)
    return _other(value, depth + 1)


_SCALARS = (int, float, str)
_LISTS = (list, tuple)


def _scalar(value: Any) -> Any:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int):
        if not -_TOO_LONG < value < _TOO_LONG:
            raise Unwritable("an integer of more than 1,000 digits; pass it as text")
    elif not math.isfinite(value):
        raise Unwritable(f"{value} is not JSON; pass None or a text")
    return value


def _text(value: Any) -> Any:
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Unwritable("holds a lone surrogate; decode the text with errors='replace'") from None
    return value


def _list(items: Iterable[object], depth: int) -> list[Any]:
    found: list[Any] = []
    try:
        for item in items:
            found.append(written(item, depth))
    except Unwritable as trouble:
        trouble.trail.append(len(found))
        raise
    return found


def _object(items: Iterable[tuple[object, object]], depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, item in items:
        name = key if type(key) is str and key.isascii() else _key(key)
        if name in found:
            raise Unwritable(f'two keys are "{name:.80}" in JSON; take texts as keys')
        try:
            found[name] = written(item, depth)
        except Unwritable as trouble:
            trouble.trail.append(name)
            raise
    return found


def _key(key: object) -> str:
    try:
        name = written(key)
    except Unwritable as trouble:
        raise Unwritable(f"the key {key!r:.80}: {trouble.why}") from None
    if isinstance(name, int) and not isinstance(name, bool):
        # As json.dumps() has it; an annotation such as dict[int, str] makes it a number again.
        name = int.__repr__(name)
    if not isinstance(name, str):
        raise Unwritable(f"the key {key!r:.80} is not a text; JSON has no other keys")
    return str.__str__(name)


def _other(value: object, depth: int) -> Any:
    match value:
        case datetime():
            if value.utcoffset() is None:
                raise Unwritable("a datetime without a zone may mean any moment; give it one: .astimezone()")
            return value.isoformat()
        case date():
            return value.isoformat()
        case time():
            if value.tzinfo is not None and value.utcoffset() is None:
                raise Unwritable("a time has no offset in this zone without its day; pass a datetime")
            return value.isoformat()
        case timedelta():
            return iso_duration(value)
        case UUID() | PurePath():
            return _text(str(value))
        case Decimal():
            if not value.is_finite():
                raise Unwritable(f"{value} is not JSON; pass None or a text")
            return str(value)
        case bytes() | bytearray() | memoryview():
            return base64.b64encode(value).decode()
        case Enum():
            return written(value.value, depth)
        case set() | frozenset():
            # In an order of its own: equal sets are equal as JSON, too.
            return sorted(_list(value, depth), key=json.dumps)
    if is_of_orm(value):
        raise _refusal(value)
    if hasattr(type(value), "__pydantic_validator__") and hasattr(value, "model_dump"):
        return _of_pydantic(value, depth)
    if is_dataclass(value) and not isinstance(value, type):
        return _object(((name, getattr(value, name)) for name in _fields(type(value))), depth)
    raise _refusal(value)


def _of_pydantic(value: Any, depth: int) -> Any:
    try:
        dumped = value.model_dump(mode="json", by_alias=True, round_trip=True)
    except Exception as error:  # Of the model's own serializers.
        raise Unwritable(f"{type(value).__name__} cannot be dumped: {type(error).__name__}") from error
    return written(dumped, depth)


@cache
def _fields(kind: type) -> tuple[str, ...]:
    """The fields that make the value again; those that it computes itself are left out."""
    names = tuple(field.name for field in fields(kind) if field.init)
    for each in signature(kind).parameters.values():
        is_needed = each.default is each.empty and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
        if is_needed and each.name not in names:
            raise Unwritable(f"{kind.__name__} is made with {each.name}, which it does not keep; pass what makes it")
    return names


def _refusal(value: object) -> Unwritable:
    return Unwritable(f"{type(value).__name__} is not JSON serialisable; {advice(value)}")
