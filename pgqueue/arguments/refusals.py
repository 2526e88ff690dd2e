"""What no argument can be, and what to pass in its place: told by looks, so that no library is imported for it."""

from __future__ import annotations

import inspect
import io
from collections.abc import Iterator, Mapping, Set
from types import ModuleType

_LINES = ("Connection", "Session", "Cursor", "Engine", "Pool", "Client", "Redis")


def is_of_orm(value: object) -> bool:
    """Whether it is a row of a database as SQLAlchemy or Django have it; many of those are dataclasses, too."""
    kind = type(value)
    return hasattr(kind, "__mapper__") or (hasattr(kind, "_meta") and hasattr(kind, "_default_manager"))


def advice(value: object) -> str:
    """What to pass in place of a value that is no argument."""
    kind = type(value)
    match value:
        case _ if is_of_orm(value):
            return "pass its id"
        case ModuleType() | type():
            return "pass its name"
        case io.IOBase():
            return "pass its path, or what it holds"
        case Iterator() | Set():
            return "pass list(...)"
        case Mapping():
            return "pass dict(...)"
    if inspect.isawaitable(value) or inspect.isasyncgen(value):
        return "await it, and pass what comes of it"
    if inspect.isroutine(value):
        return "pass its name"
    if hasattr(value, "cursor") or any(kind.__name__.endswith(word) for word in _LINES):
        return "let the task open its own; a transactional task is given one"
    if hasattr(value, "tolist"):
        return "pass .tolist()"
    return "pass its id"
