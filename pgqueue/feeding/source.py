"""Where a feed's items come from: a function that can begin behind a cursor, or whatever can be iterated anew."""

from __future__ import annotations

import asyncio
import contextlib
import difflib
import importlib
import inspect
import operator
from collections.abc import AsyncIterable, AsyncIterator, Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from types import FunctionType
from typing import Any, TypeVar

from pgqueue.errors import UsageError
from pgqueue.tasks.importing import import_modules
from pgqueue.tasks.modules import Modules

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Source:
    """Something to iterate, and its name, None if it has none; `resumable` is whether it is called with a cursor."""

    name: str | None
    items: Any
    resumable: bool

    @property
    def total(self) -> int | None:
        """How many items it will give in all, where it says so."""
        return None if callable(self.items) else operator.length_hint(self.items, 0) or None

    def behind(self, cursor: Any, items: int) -> Generator[tuple[Any, Any], None, None]:
        """What comes behind the first `items`, the last of which had this cursor: pairs of cursor and item.

        Without cursors (they are None then) the first are iterated, and passed by. Raises UsageError.
        """
        if self.resumable:
            yield from _pairs(_iterated(self.items(cursor), self.name), self.name, cursor)
            return
        found = _iterated(self.items() if callable(self.items) else self.items, self.name)
        passed = sum(1 for _ in islice(found, items))
        if passed < items:
            raise UsageError(
                f"{self.name} gave {passed:,} items, and {items:,} were fed before; it must begin with the same ones"
                " each time, or take a cursor"
            )
        for item in found:
            yield None, item


def find_source(source: str | Callable[..., Any] | Iterable[Any]) -> Source:
    """The source that is meant: `"module:name"`, a function, or what can be iterated.

    Raises AppError if its module cannot be imported, UsageError if it is nothing to iterate.
    """
    if isinstance(source, str):
        module, colon, name = source.partition(":")
        if not colon or not all(part.isidentifier() for part in (*module.split("."), name)):
            raise UsageError(f"an iterator reads 'module:name', got {source!r:.200}")
        return _described(source, _member(module, name))
    return _described(_name_of(source), source)


def _member(module: str, name: str) -> Any:
    import_modules(Modules(include=(module,)))
    members = vars(importlib.import_module(module))
    if name in members:
        return members[name]
    nearest = difflib.get_close_matches(name, [each for each in members if not each.startswith("_")], n=1)
    raise UsageError(f"{module} has no {name}{f'; did you mean {module}:{nearest[0]}?' if nearest else ''}")


def _name_of(source: object) -> str | None:
    return f"{source.__module__}:{source.__qualname__}" if isinstance(source, FunctionType) else None


def _described(name: str | None, found: Any) -> Source:
    if not callable(found):
        if not isinstance(found, Iterable | AsyncIterable):
            raise UsageError(f"{name or found!r:.80} is a {type(found).__name__}, and cannot be iterated")
        return Source(name, found, resumable=False)
    parameters = list(inspect.signature(found).parameters.values())
    needed = [each for each in parameters if each.default is each.empty and each.kind not in _OPEN]
    if len(needed) > 1 or any(each.kind is each.KEYWORD_ONLY for each in needed):
        raise UsageError(f"{name} takes {', '.join(each.name for each in needed)}; a feed calls it with a cursor alone")
    return Source(name, found, resumable=bool(parameters) and parameters[0].kind in _POSITIONAL)


_OPEN = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def _pairs(found: Iterator[Any], name: str | None, last: Any) -> Iterator[tuple[Any, Any]]:
    for pair in found:
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise UsageError(
                f"{name} takes a cursor, so it yields pairs of cursor and arguments, got {pair!r:.80}; without the"
                " parameter it yields arguments alone"
            )
        if pair[0] is None or pair[0] == last:
            raise UsageError(
                f"{name} yielded the cursor {pair[0]!r:.80}{'' if pair[0] is None else ' twice'}; each item needs one"
                " of its own, such as [page, number], so that it can be told where to go on"
            )
        last = pair[0]
        yield pair


def _iterated(found: Any, name: str | None) -> Iterator[Any]:
    if isinstance(found, AsyncIterable):
        return _awaited(aiter(found))
    if isinstance(found, Iterable):
        return iter(found)
    raise UsageError(f"{name} returned {found!r:.80}, which cannot be iterated; it must yield items, or return a list")


def _awaited(found: AsyncIterator[T]) -> Iterator[T]:
    """An async iterator's items, on a loop of its own."""
    with asyncio.Runner() as runner:
        try:
            while True:
                yield runner.run(_next(found))
        except StopAsyncIteration:
            return
        finally:
            if (close := getattr(found, "aclose", None)) is not None:
                with contextlib.suppress(RuntimeError):
                    runner.run(close())


async def _next(found: AsyncIterator[T]) -> T:
    return await anext(found)
