"""The signature: one call of a task as a value, with its options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import pgqueue.workflows as workflows
from pgqueue.compat.celery import sending
from pgqueue.compat.celery.current import current
from pgqueue.compat.celery.flow import Flow, Given, Result, new_job, options_of
from pgqueue.compat.celery.naming import known
from pgqueue.compat.celery.piece import Piece, beside_alone
from pgqueue.errors import UsageError
from pgqueue.workflows.parts import Part

if TYPE_CHECKING:
    from pgqueue.compat.celery.app import Celery


class Signature(Piece):
    """One call of a task, by the task or its name."""

    def __init__(
        self,
        task: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
        immutable: bool = False,
        app: Celery | None = None,
        **more: Any,
    ) -> None:
        self.name: str = task if isinstance(task, str) else task.name
        self.args = tuple(args or ())
        self.kwargs = dict(kwargs or {})
        self.options = {**(options or {}), **more}
        self.immutable = immutable
        self._app = app

    def __repr__(self) -> str:
        given = [*map(repr, self.args), *(f"{name}={value!r}" for name, value in self.kwargs.items())]
        return f"{self.name}({', '.join(given)})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Signature) and self._said() == other._said()

    __hash__ = None  # type: ignore[assignment]  # it may change

    @property
    def app(self) -> Celery:
        """That of its task, if it is imported here; else the current one."""
        return self._app or (known[self.name].app if self.name in known else current())

    @app.setter
    def app(self, app: Celery) -> None:
        self._app = app

    @property
    def task(self) -> str:
        """The name of its task."""
        return self.name

    @property
    def type(self) -> Any:
        """Its task. Raises UsageError if that is not imported here."""
        if self.name not in known:
            raise UsageError(f"no task {self.name} is imported here; import its module")
        return known[self.name]

    @property
    def takes_previous(self) -> bool:
        return not self.immutable

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the task here and now."""
        merged = self.clone(args, kwargs)
        return self.type(*merged.args, **merged.kwargs)

    def clone(self, args: Sequence[Any] | None = None, kwargs: Mapping[str, Any] | None = None, **options: Any) -> Self:
        """A copy, with `args` in front of its own, and more arguments by keyword and options."""
        given = () if self.immutable else tuple(args or ())
        more = {} if self.immutable else dict(kwargs or {})
        copy = type(self).__new__(type(self))
        copy.__dict__.update(self.__dict__)
        copy.args, copy.kwargs, copy.options = (
            (*given, *self.args),
            {**self.kwargs, **more},
            {**self.options, **options},
        )
        return copy

    partial = clone

    def apply_async(
        self, args: Sequence[Any] | None = None, kwargs: Mapping[str, Any] | None = None, **options: Any
    ) -> Any:
        """Enqueue it: on `connection`, on the one bound by pgqueue.bound(), or on its own, committed on return."""
        given = Given(tuple(args or ()), kwargs or {}, options)
        said = options_of(self, given, self.app)
        if said.link:
            return sending.send_canvas(self, given, self.app, said, self.name)
        return sending.send_call(self, given)

    def linked(self, callbacks: Sequence[Any]) -> Self:
        return self.clone(link=[*self.callbacks, *callbacks])

    def planned(self, flow: Flow, given: Given) -> tuple[Part, Result]:
        """A node of its own; what it is linked to is behind it."""
        options = options_of(self, given, self.app)
        result = flow.add(self.name)
        job = new_job(self, given, options, self.app)
        if not options.link:
            return workflows.chain(job), result
        if given.is_used:
            raise UsageError(f"{self!r:.80} has callbacks, and what it returned goes on: put them in a group behind it")
        behind = [beside_alone(each, flow, given.behind((workflows.previous,))) for each in options.link]
        result.children += [each for _, each in behind]
        return workflows.chain(job, workflows.group([part for part, _ in behind])), result

    def _said(self) -> tuple[Any, ...]:
        return self.name, self.args, self.kwargs, self.options, self.immutable
