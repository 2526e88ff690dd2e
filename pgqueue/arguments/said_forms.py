"""How Python says values that JSON has in another form: in an error they are as secret as there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any
from uuid import UUID

_DEEPEST = 50
_LEAVES = (date, time, timedelta, Decimal, Enum, PurePath, UUID)


def said_forms(value: Any, depth: int = 0) -> Iterator[str]:
    """The texts that str(), repr() and the like make of what a value holds, but for those that JSON has, too."""
    if depth > _DEEPEST or isinstance(value, str | int | float):
        return
    if isinstance(value, bytes | bytearray):
        yield repr(bytes(value))[2:-1]
        yield value.hex()
        yield value.decode(errors="ignore")
    elif isinstance(value, _LEAVES):
        yield str(value)
        yield repr(value)
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from said_forms(key, depth + 1)
            yield from said_forms(each, depth + 1)
    elif isinstance(value, list | tuple | set | frozenset):
        for each in value:
            yield from said_forms(each, depth + 1)
    else:
        for name in _names_of(value):
            yield from said_forms(getattr(value, name, None), depth + 1)


def _names_of(value: Any) -> list[str]:
    fields = getattr(type(value), "__dataclass_fields__", None)
    return list(fields if fields is not None else getattr(value, "__dict__", ()))
