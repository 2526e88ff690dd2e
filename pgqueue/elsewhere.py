"""What another queue has and pgqueue has otherwise: an error that names ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeVar

from pgqueue.errors import UsageError

C = TypeVar("C", bound=type)


class NotHere(UsageError, AttributeError):
    """An attribute or a call of another queue that is said otherwise here; the message says how."""


class NotInModule(UsageError, ImportError):
    """A name that another queue's module has; the message says what is in its place here."""


def names_ours(owner: str, ours: Mapping[str, str]) -> Callable[[C], C]:
    """Decorate a class: an attribute that it has not, and that is one of theirs, is answered with what to write."""

    def decorate(kind: C) -> C:
        def __getattr__(self: Any, name: str) -> Any:
            missing_attribute(owner, name, ours)

        # Put there unseen: type checkers go on to know what there is.
        kind.__getattr__ = __getattr__  # type: ignore[attr-defined]
        return kind

    return decorate


def missing_attribute(owner: str, name: str, ours: Mapping[str, str]) -> NoReturn:
    """Raise for an attribute that is not there: NotHere if it is one of theirs, else AttributeError."""
    if name in ours:
        raise NotHere(f"{owner}.{name} is not here: {ours[name]}")
    raise AttributeError(f"{owner!r} has no attribute {name!r}")


def missing_name(module: str, name: str, ours: Mapping[str, str]) -> NoReturn:
    """Raise for a name that is not in a module: NotInModule if it is one of theirs, else AttributeError."""
    if name in ours:
        raise NotInModule(f"{name} is not in {module}: {ours[name]}")
    raise AttributeError(f"module {module!r} has no attribute {name!r}")
