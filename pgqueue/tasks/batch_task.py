"""The batch task: a function that is given many jobs at once. They are enqueued one by one, with their arguments."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from pgqueue.batch import Batch
from pgqueue.errors import OptionError, TargetError
from pgqueue.tasks.calling import Calling
from pgqueue.tasks.task import Task

T = TypeVar("T")
R = TypeVar("R")


class BatchTask(Task[..., R], Generic[T, R]):
    """A task that runs many jobs in one call: `index(jobs: pgqueue.Batch[Page])`, or `(conn, jobs)` if transactional.

    `index.enqueue(conn, ...)` enqueues one job with the arguments of a `Page`.
    """

    def __call__(self, *given: Any) -> R:
        """Call the function with what it is given by a worker: an ordinary call."""
        return self.function(*given)

    def check(self) -> None:
        """Raise TargetError or OptionError for what no worker could call with a batch."""
        wanted = ["the connection", "the batch"] if self.transactional else ["the batch"]
        try:
            inspect.signature(self.function).bind(*wanted)
        except TypeError as error:
            said = " and ".join(wanted)
            raise TargetError(f"{self.target} is given {said}, and cannot be called so: {error}") from None
        if self.terms.max_attempts == 1:
            raise OptionError(
                f"{self.target} runs jobs together, and each job's last attempt alone, so that none is dead for"
                " another's failure; let max_attempts be at least 2"
            )

    def arranged(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """The arguments of one job as the function reads them; may raise what the class of its items raises."""
        kind = self._item
        if kind is None:
            return dict(kwargs) if kwargs or not args else list(args)
        if typing.get_origin(kind) is tuple:
            return tuple(args)
        return kind(*args, **kwargs)

    def _called(self) -> Calling:
        return _ItemCalling(self.function, self.target, lambda: self._item)

    @functools.cached_property
    def _item(self) -> Any:
        """The class of its items, as `Batch[...]` says; None if that says nothing that could be made of arguments."""
        batch = list(inspect.signature(self.function).parameters.values())[int(self.transactional)]
        said = _hints(self.function).get(batch.name)
        if typing.get_origin(said) is not Batch:
            return None
        (kind,) = typing.get_args(said)
        if typing.get_origin(kind) is tuple and typing.get_args(kind)[-1:] != (...,):
            return kind
        return kind if isinstance(kind, type) and kind not in (Any, dict, list, object) else None


class _ItemCalling(Calling):
    """How one job is enqueued: as its class is made."""

    def __init__(self, function: Callable[..., Any], target: str, item: Callable[[], Any]) -> None:
        # Not as of a function: there is none, before somebody asks.
        self._target, self._given = target, 0
        self._whole = function
        self._item = item

    @functools.cached_property
    def _function(self) -> Callable[..., Any]:  # type: ignore[override]  # made when it is asked for
        """What takes the arguments of one job, and says what they are."""

        def made(*args: Any, **kwargs: Any) -> None: ...

        made.__name__, made.__module__ = self._whole.__name__, self._whole.__module__
        parameters = _parameters(self._item())
        made.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # as inspect looks for it
        made.__annotations__ = {each.name: each.annotation for each in parameters if each.annotation is not each.empty}
        return made


def _parameters(kind: Any) -> list[inspect.Parameter]:
    if kind is None:
        return list(inspect.signature(_anything).parameters.values())
    if typing.get_origin(kind) is tuple:
        only = inspect.Parameter.POSITIONAL_ONLY
        places = enumerate(typing.get_args(kind))
        return [inspect.Parameter(f"arg{n}", only, annotation=said) for n, said in places]
    if typing.is_typeddict(kind):
        needed, by_name = kind.__required_keys__, inspect.Parameter.KEYWORD_ONLY
        return [
            inspect.Parameter(
                name, by_name, annotation=said, default=inspect.Parameter.empty if name in needed else ...
            )
            for name, said in _hints(kind).items()
        ]
    try:
        said = {**_hints(kind.__init__), **_hints(kind)}
        found = inspect.signature(kind).parameters.values()
    except ValueError:
        return list(inspect.signature(_anything).parameters.values())
    return [each.replace(annotation=said.get(each.name, each.annotation)) for each in found]


def _hints(thing: Any) -> dict[str, Any]:
    try:
        return typing.get_type_hints(thing, include_extras=True)
    except Exception:  # A name that is there for type checkers alone, or not yet.
        return {}


def _anything(*args: Any, **kwargs: Any) -> None:
    """What a job is enqueued with where nothing is said of it."""
