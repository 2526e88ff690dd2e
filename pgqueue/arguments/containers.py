"""Readers of what holds other values: lists, tuples, sets, mappings, and classes with fields."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pgqueue.arguments.mismatch import Mismatch, Reader, step


def items_of(kind: Callable[[Any], Any], inner: Reader | None, said: str) -> Reader:
    """The reader of a list, tuple or set of any length."""

    def read(value: Any) -> Any:
        if not isinstance(value, list | tuple | set | frozenset):
            raise Mismatch(said, value)
        try:
            if inner is None:
                return kind(value)
            return kind([step(inner, item, place) for place, item in enumerate(value)])
        except TypeError as error:
            # A set of what has no hash.
            raise Mismatch(said, value, str(error)) from None

    return read


def tuple_of(inner: Sequence[Reader | None]) -> Reader:
    """The reader of a tuple of so many values."""
    said = f"a list of {len(inner)}"

    def read(value: Any) -> Any:
        if not isinstance(value, list | tuple) or len(value) != len(inner):
            raise Mismatch(said, value)
        return tuple(_each(inner, value))

    return read


def mapping_of(keys: Reader | None, values: Reader | None) -> Reader:
    """The reader of a mapping whose keys, values or both are to be read."""

    def read(value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise Mismatch("an object", value)
        found = {}
        for key, item in value.items():
            name = key if keys is None or type(key) is not str else step(keys, key, key)
            found[name] = item if values is None else step(values, item, key)
        return found

    return read


def named_tuple_of(kind: Any, inner: Mapping[str, Reader | None]) -> Reader:
    """The reader of a NamedTuple, which JSON has as a list; an object with its fields will do."""
    names: tuple[str, ...] = kind._fields
    least = len(names) - len(kind._field_defaults)
    readers = [inner.get(name) for name in names]
    by_name = object_of(kind, inner)

    def read(value: Any) -> Any:
        if isinstance(value, kind):
            return value
        if isinstance(value, dict):
            return by_name(value)
        if not isinstance(value, list | tuple) or not least <= len(value) <= len(names):
            raise Mismatch(f"a list of the fields of {kind.__name__}: {', '.join(names)}", value)
        return kind(*_each(readers, value))

    return read


def object_of(kind: Any, inner: Mapping[str, Reader | None]) -> Reader:
    """The reader of a class that is made of its fields by name."""
    name = kind.__name__
    parameters = inspect.signature(kind).parameters.values()
    known = {each.name for each in parameters if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)}
    takes_more = any(each.kind is each.VAR_KEYWORD for each in parameters)
    required = [each.name for each in parameters if each.name in known and each.default is each.empty]
    said = f"an object with the fields of {name}"

    def read(value: Any) -> Any:
        if isinstance(value, kind):
            return value
        if not isinstance(value, Mapping):
            raise Mismatch(said, value)
        for field in required:
            if field not in value:
                raise Mismatch(f"{said}, and {field} among them", value)
        for field in value:
            if field not in known and not takes_more:
                raise Mismatch(f"{said}, which has no {field!r:.80}", value)
        given = _fields(inner, value)
        try:
            return kind(**given)
        except Exception as error:  # What the class says of these values, whatever it is.
            raise Mismatch(said, value, f"{type(error).__name__}: {error}") from error

    return read


def typed_dict_of(kind: Any, inner: Mapping[str, Reader | None], required: Sequence[str]) -> Reader:
    """The reader of a TypedDict; keys that it does not know stay as they are."""
    said = f"an object with the keys of {kind.__name__}"

    def read(value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise Mismatch(said, value)
        for key in required:
            if key not in value:
                raise Mismatch(f"{said}, and {key} among them", value)
        return _fields(inner, value)

    return read


def pydantic_of(kind: Any) -> Reader:
    """The reader of a pydantic model, which judges the value itself."""

    def read(value: Any) -> Any:
        try:
            return kind.model_validate(value)
        except Exception as error:  # Its own, and those of its validators.
            raise Mismatch(kind.__name__, value, _said(error)) from error

    return read


def _said(error: Exception) -> str:
    errors = getattr(error, "errors", None)
    if not callable(errors):
        return f"{type(error).__name__}: {error}"
    told = errors(include_url=False, include_input=False, include_context=False)[:3]
    return "; ".join(f"{'.'.join(map(str, each['loc'])) or 'it'}: {each['msg']}" for each in told)


def _fields(inner: Mapping[str, Reader | None], value: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: item if (reader := inner.get(name)) is None else step(reader, item, name) for name, item in value.items()
    }


def _each(readers: Sequence[Reader | None], values: Sequence[Any]) -> list[Any]:
    pairs = zip(readers, values, strict=False)
    return [item if reader is None else step(reader, item, place) for place, (reader, item) in enumerate(pairs)]
