"""Calls of a task with many items in one job: map, starmap, and chunks of those."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from pgqueue.compat.celery.call_options import CallOptions
from pgqueue.compat.celery.canvas import group
from pgqueue.compat.celery.flow import Flow, Given, Result
from pgqueue.compat.celery.piece import Canvas
from pgqueue.compat.celery.signatures import Signature
from pgqueue.options import check_integer
from pgqueue.workflows.parts import Part

RUN_MAP = "pgqueue.compat.celery.own_tasks:run_map"
RUN_STARMAP = "pgqueue.compat.celery.own_tasks:run_starmap"


class xmap(Signature):  # as Celery calls it
    """One job that calls a task with each item in turn, and returns the list of what that returned."""

    def __init__(self, task: Any, it: Iterable[Any], **options: Any) -> None:
        super().__init__(RUN_MAP, (), {"name": task.name, "items": list(it)}, options, immutable=True, app=task.app)
        self.options.setdefault("labels", {"task": task.name})

    def __repr__(self) -> str:
        return f"[{self.kwargs['name']}(x) for x in {self.kwargs['items']!r:.100}]"


class xstarmap(Signature):
    """One job that calls a task with the arguments of each item in turn."""

    def __init__(self, task: Any, it: Iterable[Sequence[Any]], **options: Any) -> None:
        items = [list(item) for item in it]
        super().__init__(RUN_STARMAP, (), {"name": task.name, "items": items}, options, immutable=True, app=task.app)
        self.options.setdefault("labels", {"task": task.name})

    def __repr__(self) -> str:
        return f"[{self.kwargs['name']}(*x) for x in {self.kwargs['items']!r:.100}]"


class chunks(Canvas):
    """Jobs each of which calls a task with the arguments of `n` items in turn."""

    name = "chunks"

    def __init__(self, task: Any, it: Iterable[Sequence[Any]], n: int, **options: Any) -> None:
        check_integer("n", n, 1, 1_000_000)
        self._of = task
        self._parts = [list(part) for part in _parts(iter(it), n)]
        self.options = dict(options)

    def __repr__(self) -> str:
        return f"{self._of.name}.chunks: {len(self._parts)} jobs"

    @property
    def takes_previous(self) -> bool:
        return False

    def group(self) -> group:
        """The jobs, as a group."""
        return group([xstarmap(self._of, part) for part in self._parts], **self.options)

    def clone(self, args: Sequence[Any] | None = None, kwargs: Mapping[str, Any] | None = None, **options: Any) -> Any:
        """A copy as a group, with more options."""
        return self.group().clone(args, kwargs, **options)

    def planned(self, flow: Flow, given: Given) -> tuple[Part, Result]:
        """As that group."""
        return self.group().planned(flow, given)

    def _sent(self, given: Given, of_call: CallOptions) -> Any:
        return self.group()._sent(given, of_call)


def _parts(items: Iterator[Any], n: int) -> Iterator[list[Any]]:
    while part := list(islice(items, n)):
        yield part
