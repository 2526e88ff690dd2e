"""The pieces of a canvas, and what is put one behind the other: `a | b`, `chain(a, b)`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import pgqueue.workflows as workflows
from pgqueue.compat.celery import sending
from pgqueue.compat.celery.call_options import CallOptions, as_list, call_options
from pgqueue.compat.celery.current import current
from pgqueue.compat.celery.flow import Flow, Given, Result
from pgqueue.compat.celery.result import AsyncResult
from pgqueue.elsewhere import missing_attribute
from pgqueue.errors import UsageError
from pgqueue.workflows.parts import Part

if TYPE_CHECKING:
    from pgqueue.compat.celery.app import Celery

NOT_IN_CANVAS: Mapping[str, str] = {
    "apply": "in tests say pgqueue.testing.eager()",
    "election": "say pgqueue.once(conn, key)",
    "freeze": "an id is known when the job is enqueued; to choose it say task_id",
    "prepare_steps": "a canvas is taken apart where it is enqueued",
    "replace": "make another signature, or clone() this one",
    "stamp": "say labels, a mapping of texts to texts: sig.set(labels={...})",
    "unchain_tasks": "look at .tasks",
}


class Piece:
    """What signatures and canvases share: they are put one behind the other, told of ends, and applied."""

    options: dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        return missing_attribute("signature", name, NOT_IN_CANVAS)

    @property
    def app(self) -> Celery:
        """The app that it belongs to."""
        return current()

    @property
    def takes_previous(self) -> bool:
        """Whether it is given what the part in front returned."""
        return True

    @property
    def callbacks(self) -> list[Any]:
        """What is to be called with what it returns."""
        return as_list(self.options.get("link"))

    def unrolled(self) -> Any:
        """What it is within a chain."""
        return self

    def clone(self, args: Sequence[Any] | None = None, kwargs: Mapping[str, Any] | None = None, **options: Any) -> Self:
        """A copy, with `args` in front of its own, and more arguments by keyword and options."""
        raise NotImplementedError

    def linked(self, callbacks: Sequence[Any]) -> Any:
        """A copy, with these called with what it returned."""
        raise UsageError(f"{self!r:.80} takes no link: put what comes behind it there by |")

    def planned(self, flow: Flow, given: Given) -> tuple[Part, Result]:
        """As a part of a workflow; its jobs are noted in the flow, in order."""
        raise NotImplementedError

    def __or__(self, other: Any) -> Any:
        if not isinstance(other, Piece):
            raise UsageError(f"| takes a signature, got {other!r:.80}; write task.s(...)")
        return chain(self, other)

    def __invert__(self) -> Any:
        return self.apply_async().get()

    def apply_async(
        self, args: Sequence[Any] | None = None, kwargs: Mapping[str, Any] | None = None, **options: Any
    ) -> Any:
        """Enqueue it; `args` stand in front of its own."""
        raise NotImplementedError

    def delay(self, *args: Any, **kwargs: Any) -> Any:
        """Enqueue it; these arguments stand in front of its own."""
        return self.apply_async(args, kwargs)

    def set(self, immutable: bool | None = None, **options: Any) -> Self:
        """Give it options."""
        if immutable is not None:
            self.immutable = immutable
        self.options.update(options)
        return self

    def link(self, callback: Any) -> Any:
        """Have `callback` called with what it returned."""
        self.options["link"] = [*as_list(self.options.get("link")), callback]
        return callback

    def link_error(self, errback: Any) -> Any:
        """Have `errback` called with (request, exc, traceback) if it fails for good."""
        self.options["link_error"] = [*as_list(self.options.get("link_error")), errback]
        return errback

    def on_error(self, errback: Any) -> Self:
        """As link_error(); answers this one."""
        self.link_error(errback)
        return self


# Of apply_async() of a canvas: about the call as a whole, not one of its jobs.
OF_CALL = ("connection", "link", "link_error", "retry", "retry_policy")


class Canvas(Piece):
    """Parts that are applied as a whole: calling it applies it."""

    name = "canvas"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.apply_async(args, kwargs)

    def apply_async(
        self, args: Sequence[Any] | None = None, kwargs: Mapping[str, Any] | None = None, **options: Any
    ) -> Any:
        """Enqueue all of it, in one transaction; `args` stand in front of those of its first tasks."""
        said = {**self.options, **options}
        of_call = call_options({name: said[name] for name in OF_CALL if name in said}, self.app.conf)
        own = {name: value for name, value in options.items() if name not in OF_CALL}
        # What stands in its own options is added where it is taken apart.
        return self._sent(
            Given(tuple(args or ()), kwargs or {}, own, tuple(as_list(options.get("link_error")))), of_call
        )

    def _sent(self, given: Given, of_call: CallOptions) -> Any:
        part = self.linked(of_call.link) if of_call.link else self
        return sending.send_canvas(part, given, self.app, of_call, self.name)

    def _told(self, given: Given) -> Given:
        """What its parts are given: also its own options, and who is told of failures."""
        told = (*given.link_error, *as_list(self.options.get("link_error")))
        own = {name: value for name, value in self.options.items() if name not in OF_CALL}
        return Given(given.args, given.kwargs, {**own, **given.options}, told, given.is_used)


class chain(Canvas):  # as Celery calls it
    """Parts one after the other; each is given what the one in front returned, unless it is immutable."""

    name = "chain"

    def __init__(self, *tasks: Any, **options: Any) -> None:
        several = tasks[0] if len(tasks) == 1 and not isinstance(tasks[0], Piece) else tasks
        self.tasks: list[Any] = []
        for each in several:
            self.tasks += each.tasks if isinstance(each, chain) and not each.options else [checked(each)]
        self.options = dict(options)

    def __repr__(self) -> str:
        return " | ".join(map(repr, self.tasks))

    @property
    def takes_previous(self) -> bool:
        return bool(self.tasks) and self.tasks[0].takes_previous

    def clone(self, args: Sequence[Any] | None = None, kwargs: Mapping[str, Any] | None = None, **options: Any) -> Self:
        """A copy, whose first part has these arguments in front of its own."""
        first = [self.tasks[0].clone(args, kwargs), *self.tasks[1:]] if self.tasks else []
        return type(self)(first, **{**self.options, **options})

    def planned(self, flow: Flow, given: Given) -> tuple[Part, Result]:
        """One part behind the other."""
        if not self.tasks:
            raise UsageError("a chain needs a task at least, got none")
        return one_behind_the_other([each.unrolled() for each in self.tasks], flow, self._told(given), None)

    def linked(self, callbacks: Sequence[Any]) -> Any:
        return type(self)([*self.tasks[:-1], self.tasks[-1].linked(callbacks)], **self.options)


def one_behind_the_other(parts: Sequence[Any], flow: Flow, given: Given, parent: Result | None) -> tuple[Part, Result]:
    """Parts one behind the other; where one has callbacks, these are beside what is left."""
    planned: list[Part] = []
    for place, part in enumerate(parts):
        rest = parts[place + 1 :]
        links = part.callbacks if rest else []
        if links and given.is_used:
            raise UsageError(
                f"{part!r:.80} has callbacks, and what is behind it goes on: put them in a group behind it"
            )
        own = part.clone(link=None) if links else part
        piece, result = own.planned(flow, given.used(rest[0].takes_previous if rest else given.is_used))
        planned.append(piece)
        _follow(result, parent)
        parent, behind = result, given.behind((workflows.previous,))
        if links:
            both = [beside_alone(each, flow, behind) for each in links]
            for _, linked in both:
                _follow(linked, result)
            last, result = one_behind_the_other(rest, flow, behind, result)
            return workflows.chain(*planned, workflows.group([*(each for each, _ in both), last])), result
        given = Given(behind.args, {}, {}, given.link_error, given.is_used)
    return workflows.chain(*planned), result


def _follow(result: Result, parent: Result | None) -> None:
    """The one is behind the other; of a part that is a chain itself its first."""
    first = result
    while first.parent is not None:
        first = first.parent
    if parent is None or first is parent:
        return
    first.parent = parent
    if isinstance(parent, AsyncResult):
        parent.children.append(first)


def beside_alone(part: Any, flow: Flow, given: Given) -> tuple[Part, Result]:
    """A callback, whose own result goes to nobody."""
    planned: tuple[Part, Result] = checked(part).planned(flow, given.used(False))
    return planned


def checked(part: Any) -> Any:
    """A piece of a canvas. Raises UsageError for anything else."""
    if isinstance(part, Piece):
        return part
    raise UsageError(f"a part of a canvas is a signature, got {part!r:.80}; write task.s(...)")
