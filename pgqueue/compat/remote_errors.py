"""What an attempt raised, made an exception again where that can be."""

from __future__ import annotations

import builtins
import sys

from pgqueue.errors import JobFailed


def error_again(kind: str | None, message: str | None, failed: JobFailed | None = None) -> BaseException | None:
    """The error of this kind, by its name, with this message; its cause is `failed`, which has the remote traceback.

    None if the kind is no exception of Python or of a module imported here, or cannot be made of one text.
    """
    found = _kind_of(kind or "")
    if found is None:
        return None
    try:
        made = found(message or "")
    except Exception:  # Its own constructor, which may want more than a text.
        return None
    made.__cause__ = failed
    return made


def _kind_of(name: str) -> type[Exception] | None:
    module, _, own = name.rpartition(".")
    place: object = sys.modules.get(module) if module else builtins
    found = getattr(place, own, None) if own else None
    return found if isinstance(found, type) and issubclass(found, Exception) else None
