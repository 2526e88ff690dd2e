"""The queues that jobs may come from: where their jobs stand, and what their words are in ours."""

from __future__ import annotations

import base64
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from pgqueue.codec import load
from pgqueue.errors import ArgumentError
from pgqueue.job import DEFAULT_PRIORITY
from pgqueue.store.foreign_jobs import Queue

Payload = Literal["json", "text", "base64"]
HIGHEST = 9
# Up to which of Django's each of our levels goes.
_UP_TO = (-100, -71, -41, -11, -1, 0, 10, 40, 70)
_WITHIN_OURS = range(-DEFAULT_PRIORITY, HIGHEST + 1 - DEFAULT_PRIORITY)


class Call(NamedTuple):
    """Arguments by place, and by keyword."""

    args: list[Any]
    kwargs: dict[str, Any]

    def as_stored(self) -> list[Any] | dict[str, Any]:
        """As one value; where there are both kinds, as the backend for Django's tasks has them."""
        return {"*": self.args, **self.kwargs} if self.args and self.kwargs else self.args or self.kwargs


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One of those queues.

    `read` makes a call of its content. `level` makes a priority of one of its own, of which `levels` have one here,
    and those outside of them that of the nearest. `keeps_ids`: an id there is one here.
    """

    name: str
    queue: Queue
    table: str
    read: Callable[[bytes | None, Payload], Call]
    level: Callable[[int], int]
    levels: range
    keeps_ids: bool = False
    frees_key_at_start: bool = False
    stores_results: bool = False


def _by_keyword(content: bytes | None, _payload: Payload) -> Call:
    kwargs = _loaded(content or b"{}")
    if not isinstance(kwargs, dict):
        raise ArgumentError("its args are no object")
    return Call([], kwargs)


def _by_place_and_keyword(content: bytes | None, _payload: Payload) -> Call:
    both = _loaded(content or b"{}")
    args, kwargs = (both.get("args"), both.get("kwargs")) if isinstance(both, dict) else (None, None)
    if not isinstance(args, list) or not isinstance(kwargs, dict):
        raise ArgumentError("its args_kwargs are not what django-tasks-db writes")
    return Call(args, kwargs)


def _as_said(content: bytes | None, payload: Payload) -> Call:
    """An array is by place, an object by keyword, and whatever else it is the one argument."""
    if content is None:
        return Call([], {})
    if payload == "base64":
        return Call([base64.b64encode(content).decode()], {})
    try:
        if payload == "text":
            return Call([content.decode()], {})
        value = _loaded(content)
    except (ArgumentError, UnicodeDecodeError):
        raise ArgumentError(f"its payload is no {payload}; `--payload base64` hands any over as one text") from None
    if isinstance(value, dict):
        return Call([], value)
    return Call(value if isinstance(value, list) else [value], {})


def _loaded(content: bytes) -> Any:
    try:
        return load(content.decode())
    except (ValueError, RecursionError) as error:
        raise ArgumentError(f"its arguments cannot be read: {error}") from None


def _about_zero(priority: int) -> int:
    """0 is usual there and 5 is here; what lies further out than our levels is at their end."""
    return min(max(DEFAULT_PRIORITY + priority, 0), HIGHEST)


def _of_a_hundred(priority: int) -> int:
    """-100 to 100, 0 as usual, as the backend for Django's tasks has them: the finer the nearer to 0."""
    return bisect_left(_UP_TO, priority)


_ALL = (
    Source(
        name="procrastinate",
        queue="procrastinate",
        table="procrastinate_jobs",
        read=_by_keyword,
        level=_about_zero,
        levels=_WITHIN_OURS,
        frees_key_at_start=True,
    ),
    Source(
        name="django-tasks-db",
        queue="django_tasks_db",
        table="django_tasks_database_dbtaskresult",
        read=_by_place_and_keyword,
        level=_of_a_hundred,
        levels=range(-100, 101),
        keeps_ids=True,
        stores_results=True,
    ),
    Source(
        name="pgqueuer",
        queue="pgqueuer",
        table="pgqueuer",
        read=_as_said,
        level=_about_zero,
        levels=_WITHIN_OURS,
    ),
)
SOURCES: Mapping[str, Source] = {source.name: source for source in _ALL}
