"""Groups and chords, as Celery writes them, on pgqueue's workflows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import pgqueue.workflows as workflows
from pgqueue.compat.celery import sending
from pgqueue.compat.celery.call_options import CallOptions
from pgqueue.compat.celery.flow import MOST_RESULTS, Flow, Given, Result
from pgqueue.compat.celery.group_result import GroupResult
from pgqueue.compat.celery.piece import Canvas, Piece, checked, one_behind_the_other
from pgqueue.compat.celery.signatures import Signature
from pgqueue.errors import UsageError
from pgqueue.workflows.parts import Part


class group(Canvas):
    """Parts beside each other; its result is the list of theirs."""

    name = "group"

    def __init__(self, *tasks: Any, **options: Any) -> None:
        several: Iterable[Any] = tasks[0] if len(tasks) == 1 and not isinstance(tasks[0], Piece) else tasks
        self.tasks = [checked(each) for each in several]
        self.options = dict(options)

    def __repr__(self) -> str:
        return f"group({', '.join(map(repr, self.tasks))})"

    def __len__(self) -> int:
        return len(self.tasks)

    @property
    def takes_previous(self) -> bool:
        return any(each.takes_previous for each in self.tasks)

    def clone(self, args: Sequence[Any] | None = None, kwargs: Mapping[str, Any] | None = None, **options: Any) -> Self:
        """A copy, whose parts have these arguments in front of their own."""
        return type(self)([each.clone(args, kwargs) for each in self.tasks], **{**self.options, **options})

    def link(self, callback: Any) -> Any:
        """Have `callback` called with what the first of them returned, as Celery does."""
        return self.tasks[0].link(callback)

    def skew(self, start: float = 1.0, stop: float | None = None, step: float = 1.0) -> Self:
        """Have its parts begin one after the other, `start` seconds from now on; the last wait repeats."""
        wait = start
        for each in self.tasks:
            each.set(countdown=wait)
            wait = wait + step if stop is None or wait + step <= stop else wait
        return self

    def unrolled(self) -> Any:
        """A group of one is that one, as Celery 5 has it."""
        return self.tasks[0] if len(self.tasks) == 1 and not self.options else self

    def planned(self, flow: Flow, given: Given) -> tuple[Part, Result]:
        """Each is a node, or several, of its own."""
        if given.is_used and len(self.tasks) > MOST_RESULTS:
            raise UsageError(
                f"what follows a group is given {MOST_RESULTS:,} results at most, got {len(self.tasks):,}: let it be"
                " immutable, task.si(...), and read pgqueue.current_job().gathered()"
            )
        each_given = self._told(given)
        both = [each.planned(flow, each_given) for each in self.tasks]
        return workflows.group([part for part, _ in both]), GroupResult([result for _, result in both])

    def _sent(self, given: Given, of_call: CallOptions) -> Any:
        if of_call.link or not all(isinstance(each, Signature) and not each.callbacks for each in self.tasks):
            return super()._sent(given, of_call)
        return sending.send_group(self.tasks, self._told(given), self.app, of_call)


class chord(Canvas):
    """A group, and a callback that is given the list of what its tasks returned."""

    name = "chord"

    def __init__(self, header: Any, body: Any = None, **options: Any) -> None:
        self.tasks = header if isinstance(header, group) else group(header)
        self.body = body if body is None else checked(body)
        self.options = dict(options)

    def __repr__(self) -> str:
        return f"chord({self.tasks!r}, {self.body!r})"

    @property
    def takes_previous(self) -> bool:
        return self.tasks.takes_previous

    def __call__(self, body: Any = None, **kwargs: Any) -> Any:
        """Apply it, with this callback if it has none yet."""
        return chord(self.tasks, body or self.body, **self.options).apply_async((), kwargs)

    def clone(self, args: Sequence[Any] | None = None, kwargs: Mapping[str, Any] | None = None, **options: Any) -> Self:
        """A copy, whose header has these arguments in front of its own."""
        return type(self)(self.tasks.clone(args, kwargs), self.body, **{**self.options, **options})

    def link(self, callback: Any) -> Any:
        """Have `callback` called with what the callback returned."""
        return self._with_body().link(callback)

    def link_error(self, errback: Any) -> Any:
        """Have `errback` told if the callback fails."""
        return self._with_body().link_error(errback)

    def linked(self, callbacks: Sequence[Any]) -> Self:
        return type(self)(self.tasks, self._with_body().linked(callbacks), **self.options)

    def planned(self, flow: Flow, given: Given) -> tuple[Part, Result]:
        """The header, and the callback behind it; one of a single task is a list, too."""
        return one_behind_the_other([self.tasks, self._with_body()], flow, self._told(given), None)

    def _sent(self, given: Given, of_call: CallOptions) -> Any:
        if self.body is None:
            # As Celery does: a chord without a callback is its header.
            return self.tasks._sent(self._told(given), of_call)
        return super()._sent(given, of_call)

    def _with_body(self) -> Any:
        if self.body is None:
            raise UsageError("a chord in a canvas needs a callback: chord(header, callback)")
        return self.body
