"""What another queue has and pgqueue has otherwise: an error that names ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

from pgqueue.errors import UsageError


class NotHere(UsageError, AttributeError):
    """An attribute or a call of another queue that is said otherwise here; the message says how."""


class NotInModule(UsageError, ImportError):
    """A name that another queue's module has; the message says what is in its place here."""


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
