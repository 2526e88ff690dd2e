"""What takes back what a step has done: beside its memo, or before it, and how it is read again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, NamedTuple, ParamSpec, TypeVar

from pgqueue.codec import encode, load
from pgqueue.errors import OptionError

P = ParamSpec("P")
R = TypeVar("R")


class Undoable(Generic[P, R]):
    """A function, and what undoes it: see undoable()."""

    def __init__(self, do: Callable[P, R], undo: Callable[[Any], object]) -> None:
        self.do = do
        self.undo = undo

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.do(*args, **kwargs)


def undoable(do: Callable[P, R], undo: Callable[[R], object]) -> Undoable[P, R]:
    """What a step does, and what undoes it if the workflow fails: `ctx.step("flight", undoable(book, cancel), 42)`.

    `undo` is given what `do` returned, and is written down with that. Also an `async def`; one that wants a connection
    first gets one. Raises OptionError.
    """
    for word, function in (("do", do), ("undo", undo)):
        if not callable(function):
            raise OptionError(f"{word} must be a function, got {function!r:.80}")
    return Undoable(do, undo)


class Undo(NamedTuple):
    """A call that undoes something; `args` and `kwargs` are in `given`, as a step's result is stored."""

    target: str
    given: str

    def text(self) -> str:
        """As it is stored."""
        return f'{{"target":{encode(self.target, "target")},"given":{self.given}}}'

    @classmethod
    def read(cls, text: str) -> Undo:
        """What text() wrote."""
        said = load(text)
        return cls(said["target"], encode(said["given"], "given"))
