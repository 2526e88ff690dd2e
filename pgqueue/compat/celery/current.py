"""The app that is meant where none is named: the one that was made last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pgqueue.errors import UsageError

if TYPE_CHECKING:
    from pgqueue.compat.celery.app import Celery

_made: list[Celery] = []


def current() -> Celery:
    """The current app. Raises UsageError if there is none."""
    if not _made:
        raise UsageError("there is no app: import the module that makes one, app = Celery('proj')")
    return _made[-1]


def make_current(app: Celery) -> None:
    """From now on this one is meant."""
    _made.append(app)


def has_current() -> bool:
    """Whether any app was made."""
    return bool(_made)


class CurrentApp:
    """Stands for the current app, whichever that is when it is used."""

    def __getattr__(self, name: str) -> Any:
        return getattr(current(), name)

    def __repr__(self) -> str:
        return f"<current app: {current()!r}>"


current_app: Any = CurrentApp()
