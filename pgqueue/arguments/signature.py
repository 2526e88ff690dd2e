"""Whether arguments fit a function, and what each is to be made of its JSON."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, NamedTuple

from pgqueue.arguments.annotations import Readers
from pgqueue.arguments.hints import hints_of
from pgqueue.arguments.mismatch import Reader, step

_BY_PLACE = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_ENDLESS = 1 << 62


class Fit:
    """Whether arguments fit a signature, at a fraction of what binding them costs."""

    __slots__ = ("_least", "_most", "_names", "_needed", "_signature", "placed")

    def __init__(self, signature: inspect.Signature) -> None:
        parameters = list(signature.parameters.values())
        kinds = [each.kind for each in parameters]
        placed = [each for each in parameters if each.kind in _BY_PLACE]
        required = [each for each in parameters if each.default is each.empty and each.kind in (*_BY_PLACE, *_BY_NAME)]
        self._signature = signature
        # Those that can be given by place or by name, before the first that cannot.
        self.placed = tuple(
            each.name for each in takewhile(lambda each: each.kind is each.POSITIONAL_OR_KEYWORD, parameters)
        )
        # All by place: from so many to so many, if none can be given by name alone.
        self._least = sum(each.kind in _BY_PLACE for each in required)
        self._most = _ENDLESS if inspect.Parameter.VAR_POSITIONAL in kinds else len(placed)
        if self._least < len(required):
            self._most = -1
        # All by name.
        self._names = frozenset(each.name for each in parameters if each.kind in _BY_NAME)
        self._needed = frozenset(each.name for each in required)

    def fault(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str | None:
        """What keeps the function from being called with these; None if nothing does."""
        if not kwargs:
            if self._least <= len(args) <= self._most:
                return None
        elif not args:
            if self._needed <= kwargs.keys() <= self._names:
                return None
        elif len(args) <= len(self.placed) and kwargs.keys() <= self._names:
            given = self.placed[: len(args)]
            if kwargs.keys().isdisjoint(given) and self._needed <= {*given, *kwargs}:
                return None
        try:
            self._signature.bind(*args, **kwargs)
        except TypeError as error:
            return str(error)
        return None


@dataclass(frozen=True, slots=True)
class Conversion:
    """Makes of a job's JSON what the annotations of its function say; only what JSON does not have has a reader.

    `places` and `names` are those of parameters; what is left over of each goes to `rest` and `more`.
    """

    places: Mapping[int, Reader]
    names: Mapping[str, Reader]
    rest_from: int = _ENDLESS
    rest: Reader | None = None
    known: frozenset[str] = frozenset()
    more: Reader | None = None

    def __call__(self, args: list[Any], kwargs: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """The arguments as the function takes them; those given are left as they are. Raises Mismatch."""
        if args:
            args = [self._at_place(place, value) for place, value in enumerate(args)]
        if kwargs:
            kwargs = {name: self._at_name(name, value) for name, value in kwargs.items()}
        return args, kwargs

    def _at_place(self, place: int, value: Any) -> Any:
        reader = self.places.get(place) if place < self.rest_from else self.rest
        return value if reader is None else step(reader, value, place)

    def _at_name(self, name: str, value: Any) -> Any:
        reader = self.names.get(name)
        if reader is None and self.more is not None and name not in self.known:
            reader = self.more
        return value if reader is None else step(reader, value, name)


class Annotations(NamedTuple):
    """What annotations say of a function: how its arguments and its result are read, and what of them is doubtful."""

    conversion: Conversion | None
    result: Reader | None
    doubts: Sequence[str]


def annotations_of(
    function: Callable[..., Any], signature: inspect.Signature, leaving: Collection[str] = ()
) -> Annotations:
    """What the annotations of a function say, whose jobs are called by this signature, `leaving` out some of them."""
    hints, doubts = hints_of(function)
    hints = {name: hint for name, hint in hints.items() if name not in leaving}
    readers = Readers()
    try:
        found = {name: reader for name, hint in hints.items() if (reader := readers.of(hint)) is not None}
    except Exception as error:  # Whatever annotations may be: what they say is no condition of running a job.
        return Annotations(None, None, [*doubts, f"its annotations cannot be read: {type(error).__name__}: {error}"])
    result = found.pop("return", None)
    doubts = [*doubts, *readers.doubts]
    if not found:
        return Annotations(None, result, doubts)
    return Annotations(_conversion(signature, found), result, doubts)


def _conversion(signature: inspect.Signature, readers: Mapping[str, Reader]) -> Conversion | None:
    parameters = list(signature.parameters.values())
    placed = [each.name for each in parameters if each.kind in _BY_PLACE]
    named = [each.name for each in parameters if each.kind in _BY_NAME]
    rest = next((each.name for each in parameters if each.kind is each.VAR_POSITIONAL), "")
    more = next((each.name for each in parameters if each.kind is each.VAR_KEYWORD), "")
    made = Conversion(
        {place: readers[name] for place, name in enumerate(placed) if name in readers},
        {name: readers[name] for name in named if name in readers},
        len(placed),
        readers.get(rest),
        frozenset(named),
        readers.get(more),
    )
    return made if made.places or made.names or made.rest or made.more else None
