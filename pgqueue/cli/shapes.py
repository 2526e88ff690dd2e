"""In which shape a list is printed for people, as its options said."""

from __future__ import annotations

from contextvars import ContextVar
from enum import Enum, auto


class Shape(Enum):
    """A table as wide as the terminal, one that is not cut, or a line for each value."""

    TABLE = auto()
    WIDE = auto()
    EXPANDED = auto()


_shape: ContextVar[Shape] = ContextVar("shape", default=Shape.TABLE)


def shape() -> Shape:
    """The shape that was chosen last."""
    return _shape.get()


def choose_shape(wanted: Shape) -> None:
    """Print lists in this shape from now on."""
    _shape.set(wanted)
