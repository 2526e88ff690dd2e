"""JSON schemas of answers, made from the types that they have: a field is described where it is declared."""

from __future__ import annotations

import inspect
import types
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from pgqueue.dashboard.api.encoding import AS_TEXT

PLAIN: Mapping[Any, Mapping[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
    datetime: {"type": "string", "format": "date-time"},
    timedelta: {"type": "number", "description": "seconds"},
    UUID: {"type": "string", "format": "uuid"},
    Any: {},
}
NUMBER_AS_TEXT = {"type": "string", "pattern": "^-?[0-9]+$"}


class Schemas:
    """The schemas of all types that were asked for, by the names of the types."""

    def __init__(self) -> None:
        self.named: dict[str, dict[str, Any]] = {}
        self._types: dict[str, type] = {}

    def of(self, kind: Any) -> dict[str, Any]:
        """The schema of a type; of a class with fields a reference to it."""
        if kind in PLAIN:
            return dict(PLAIN[kind])
        origin, parts = get_origin(kind), get_args(kind)
        if origin in (Union, types.UnionType):
            return _any_of([self.of(part) for part in parts])
        if origin is Literal:
            return {"type": "string", "enum": list(parts)}
        if origin is tuple and not (len(parts) == 2 and parts[1] is Ellipsis):
            many = len(parts)
            return {
                "type": "array",
                "prefixItems": [self.of(part) for part in parts],
                "minItems": many,
                "maxItems": many,
            }
        if origin is not None and issubclass(origin, Mapping):
            of = self.of(parts[1])
            return {"type": "object", "additionalProperties": of} if of else {"type": "object"}
        if origin is not None and issubclass(origin, Sequence):
            return {"type": "array", "items": self.of(parts[0])}
        if issubclass(kind, StrEnum):
            return {"type": "string", "enum": [str(each) for each in kind]}
        return self._reference(kind)

    def _reference(self, kind: type) -> dict[str, Any]:
        name = kind.__name__
        if self._types.setdefault(name, kind) is not kind:
            raise TypeError(f"two types are called {name}: {kind} and {self._types[name]}")
        if name not in self.named:
            self.named[name] = {}
            hints = get_type_hints(kind)
            names = [field.name for field in fields(kind)] if is_dataclass(kind) else list(kind._fields)  # type: ignore[attr-defined]
            self.named[name] = {
                "type": "object",
                "description": " ".join((inspect.getdoc(kind) or "").split()),
                "properties": {each: self._field(each, hints[each]) for each in names},
                "required": names,
            }
        return {"$ref": f"#/components/schemas/{name}"}

    def _field(self, name: str, kind: Any) -> dict[str, Any]:
        if name in AS_TEXT and kind is int:
            return dict(NUMBER_AS_TEXT)
        if name in AS_TEXT and set(get_args(kind)) == {int, type(None)}:
            return _any_of([NUMBER_AS_TEXT, PLAIN[type(None)]])
        return self.of(kind)


def _any_of(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One of several; of plain ones that differ in their type alone, the types beside each other."""
    if all(set(part) == {"type"} for part in parts):
        return {"type": [part["type"] for part in parts]}
    null = [part for part in parts if part == PLAIN[type(None)]]
    others = [part for part in parts if part not in null]
    if null and len(others) == 1 and "$ref" not in others[0] and "enum" not in others[0] and "type" in others[0]:
        return {**others[0], "type": [others[0]["type"], "null"]}
    return {"anyOf": [dict(part) for part in parts]}
