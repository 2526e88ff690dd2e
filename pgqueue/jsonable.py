"""Values as JSON has them: objects by their fields, times in ISO 8601, durations in seconds."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from math import isfinite
from typing import Any
from uuid import UUID


def jsonable(value: object, as_text: Collection[str] = ()) -> Any:
    """What json.dumps() takes, of whatever is answered.

    Integers in fields of the names `as_text` become texts, for readers whose numbers end at 2^53.
    """
    match value:
        case datetime():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case UUID():
            return str(value)
        case float() if not isfinite(value):
            return None
        case dict():
            return {str(key): jsonable(each, as_text) for key, each in value.items()}
        case tuple() if hasattr(value, "_fields"):
            return {name: _field(name, each, as_text) for name, each in zip(value._fields, value, strict=True)}
        case list() | tuple():
            return [jsonable(each, as_text) for each in value]
        case _ if is_dataclass(value) and not isinstance(value, type):
            return {field.name: _field(field.name, getattr(value, field.name), as_text) for field in fields(value)}
        case _:
            return value


def _field(name: str, value: object, as_text: Collection[str]) -> Any:
    return str(value) if name in as_text and type(value) is int else jsonable(value, as_text)
