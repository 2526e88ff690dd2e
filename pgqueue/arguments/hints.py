"""The annotations of a function or class, evaluated; those that cannot be are left out, and told of."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from typing import Any, NotRequired, Required, get_origin, get_type_hints


def hints_of(owner: Any) -> tuple[dict[str, Any], list[str]]:
    """The annotation of each name, and why those are missing that could not be evaluated."""
    try:
        return get_type_hints(owner), []
    except Exception:  # Code of the annotations' own; one by one most of them may do.
        return _one_by_one(owner)


def required_keys(kind: Any) -> list[str]:
    """Those of a TypedDict that must be there; what it knows itself is wrong where annotations are texts."""
    try:
        hints = get_type_hints(kind, include_extras=True)
    except Exception:  # As above.
        hints = {}
    optional = {name for name, hint in hints.items() if get_origin(hint) is NotRequired}
    required = {name for name, hint in hints.items() if get_origin(hint) is Required}
    return sorted((kind.__required_keys__ - optional) | required)


def _one_by_one(owner: Any) -> tuple[dict[str, Any], list[str]]:
    found: dict[str, Any] = {}
    doubts: list[str] = []
    for name, annotation, names in _written(owner):
        holder = _Holder()
        holder.__annotations__ = {name: annotation}
        try:
            found[name] = get_type_hints(holder, globalns=names)[name]
        except Exception as error:  # As above.
            found.pop(name, None)
            doubts.append(f"{name}: the annotation {annotation!s:.80} cannot be evaluated ({error!s:.200})")
    return found, doubts


class _Holder:
    """What get_type_hints() takes in place of a function."""


def _written(owner: Any) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """Each name, its annotation as it was written, and the names that it may speak of."""
    if isinstance(owner, type):
        for base in reversed(owner.__mro__):
            names = vars(sys.modules.get(base.__module__, sys))
            for name, annotation in inspect.get_annotations(base).items():
                yield name, annotation, names
        return
    names = getattr(inspect.unwrap(owner), "__globals__", {})
    for name, annotation in getattr(owner, "__annotations__", {}).items():
        yield name, annotation, names
