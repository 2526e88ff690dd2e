"""The arguments of a call as a job keeps them, and back.

send(1, 2)           [1, 2]
send(a=1)            {"a": 1}
send(1, b=2)         {"*": [1], "b": 2}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# No parameter can have this name.
PLACED = "*"


def stored(args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[Any] | dict[str, Any] | None:
    """As a job keeps them."""
    if not kwargs:
        return list(args) or None
    return {PLACED: list(args), **kwargs} if args else dict(kwargs)


def apart(args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Sequence[Any], dict[str, Any]]:
    """What is given by place and what by name, of arguments that a job kept."""
    by_name = dict(kwargs)
    placed = by_name.pop(PLACED, None)
    return (args if placed is None else placed), by_name


def read(kept: Any) -> tuple[Sequence[Any], dict[str, Any]]:
    """The same of the arguments as a job's row has them."""
    return apart((), kept) if isinstance(kept, Mapping) else (kept or (), {})
