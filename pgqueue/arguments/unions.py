"""Readers of values that may be of one of several types: told apart by what JSON has, or not at all."""

from __future__ import annotations

import collections.abc as abc
import json
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import is_dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from types import NoneType
from typing import Any, Literal, get_args, get_origin
from uuid import UUID

from pgqueue.arguments.hints import hints_of
from pgqueue.arguments.leaves import leaf_of
from pgqueue.arguments.mismatch import Mismatch, Reader
from pgqueue.arguments.writing import Unwritable, written

# No text is two of these.
_FORMS = (datetime, date, timedelta, UUID)
_KINDS: dict[type, str] = {
    str: "text",
    int: "number",
    float: "number",
    bool: "truth",
    list: "list",
    tuple: "list",
    set: "list",
    frozenset: "list",
    dict: "object",
    abc.Sequence: "list",
    abc.Mapping: "object",
}
_OF_JSON: dict[type, str] = {str: "text", int: "number", float: "number", bool: "truth", list: "list", dict: "object"}
_Member = tuple[Any, Reader | None]


class Ambiguous(Exception):
    """Two members that JSON does not tell apart."""


def union_of(members: Sequence[_Member]) -> Reader | None:
    """The reader of a value of one of these types, each with its own reader; None if all are as JSON has them.

    Raises Ambiguous.
    """
    said = " or ".join(_name(kind) for kind, _ in members)
    nullable = any(_may_be_none(kind) for kind, _ in members)
    members = [member for member in members if member[0] not in (None, NoneType)]
    if all(reader is None for _, reader in members):
        return None
    if len(members) == 1:
        (only,) = [reader for _, reader in members if reader is not None]
        return (lambda value: None if value is None else only(value)) if nullable else only
    groups: dict[str, list[_Member]] = {}
    for member in members:
        for word in _words_of(member[0]):
            groups.setdefault(word, []).append(member)
    readers = {word: _one_of(word, group, said) for word, group in groups.items()}

    def read(value: Any) -> Any:
        if value is None and nullable:
            return None
        word = _OF_JSON.get(type(value))
        if word is None and value is not None:
            # Content of a codec may be what the annotation says already.
            return value
        if word not in readers:
            raise Mismatch(said, value)
        reader = readers[word]
        return value if reader is None else reader(value)

    return read


def _may_be_none(kind: Any) -> bool:
    return kind in (None, NoneType) or (get_origin(kind) is Literal and None in get_args(kind))


def _words_of(kind: Any) -> set[str]:
    """What JSON may have of a type. Raises Ambiguous where that cannot be known."""
    origin = get_origin(kind)
    if origin is Literal:
        return _words_of_values(get_args(kind))
    kind = origin or kind
    if kind in _KINDS:
        return {_KINDS[kind]}
    if isinstance(kind, type):
        if issubclass(kind, Enum):
            return _words_of_values(list(kind))
        if leaf_of(kind) is not None:
            return {"text"}
        if typing.is_typeddict(kind) or is_dataclass(kind) or _is_model(kind):
            return {"object"}
        if issubclass(kind, tuple):
            return {"list"}
    raise Ambiguous(f"what JSON has of {_name(kind)} is not known")


def _is_model(kind: Any) -> bool:
    return hasattr(kind, "__pydantic_validator__") and not getattr(kind, "__pydantic_root_model__", False)


def _words_of_values(values: Sequence[Any]) -> set[str]:
    return {_OF_JSON[type(json.loads(text))] for text in _texts_of(values) if text != "null"}


def _texts_of(values: Sequence[Any]) -> list[str]:
    try:
        return [json.dumps(written(value)) for value in values]
    except Unwritable:
        raise Ambiguous(f"{values[0]!r:.40} is not JSON") from None


def _one_of(word: str, group: Sequence[_Member], said: str) -> Reader | None:
    if len(group) == 1 or all(reader is None for _, reader in group):
        return group[0][1]
    if all(kind in _FORMS for kind, _ in group) or _are_apart([kind for kind, _ in group]):
        return _first([reader for _, reader in group if reader is not None], said)
    if word == "object" and (tagged := _tagged(group, said)) is not None:
        return tagged
    raise Ambiguous(f"{' and '.join(_name(kind) for kind, _ in group)} look alike in JSON")


def _are_apart(kinds: Sequence[Any]) -> bool:
    """Whether these are literals and enums, and no value is one of two."""
    values = [get_args(kind) if get_origin(kind) is Literal else kind for kind in kinds]
    if not all(isinstance(each, tuple) or (isinstance(each, type) and issubclass(each, Enum)) for each in values):
        return False
    texts = [text for each in values for text in _texts_of(list(each))]
    return len(texts) == len(set(texts))


def _first(readers: Sequence[Reader], said: str) -> Reader:
    def read(value: Any) -> Any:
        for reader in readers:
            try:
                return reader(value)
            except Mismatch:
                continue
        raise Mismatch(said, value)

    return read


def _tagged(group: Sequence[_Member], said: str) -> Reader | None:
    """The reader of classes that all have a field of the same name, each with other literals; None if none is such."""
    tags = [_tags_of(kind) for kind, _ in group]
    for field in tags[0]:
        by_tag: dict[Any, Reader | None] = {}
        for each, (_, reader) in zip(tags, group, strict=True):
            by_tag.update(dict.fromkeys(each.get(field, ()), reader))
        if all(field in each for each in tags) and len(by_tag) == sum(len(each[field]) for each in tags):
            return _by_tag(field, by_tag, said)
    return None


def _by_tag(field: str, by_tag: Mapping[Any, Reader | None], said: str) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        tag = value.get(field)
        if not isinstance(tag, str | int) or tag not in by_tag:
            raise Mismatch(f"{said}, told apart by its {field}", value)
        reader = by_tag[tag]
        return value if reader is None else reader(value)

    return read


def _tags_of(kind: Any) -> dict[str, tuple[Any, ...]]:
    hints, _ = hints_of(get_origin(kind) or kind)
    return {
        name: get_args(hint)
        for name, hint in hints.items()
        if get_origin(hint) is Literal and all(isinstance(value, str | int) for value in get_args(hint))
    }


def _name(kind: Any) -> str:
    return "None" if kind in (None, NoneType) else getattr(kind, "__name__", str(kind))
