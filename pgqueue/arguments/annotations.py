"""From an annotation to the reader of its values: closures made once, and none where JSON has the value as it is.

A text, a number, a list or a mapping stays what JSON has, whatever it holds: nobody checks it. So is what stands under
an annotation that says nothing of JSON, or more than one thing.
"""

from __future__ import annotations

import collections.abc as abc
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import InitVar, is_dataclass
from typing import Annotated, Any, ForwardRef, Literal, NewType, TypeVar, Union, get_args, get_origin

from pgqueue.arguments.containers import (
    items_of,
    mapping_of,
    named_tuple_of,
    object_of,
    pydantic_of,
    tuple_of,
    typed_dict_of,
)
from pgqueue.arguments.hints import hints_of, required_keys
from pgqueue.arguments.leaves import integer_key, leaf_of, members
from pgqueue.arguments.mismatch import Reader
from pgqueue.arguments.unions import Ambiguous, union_of

Variables = Mapping[Any, Any]
_NONE: Variables = {}
_LISTS = (list, abc.Sequence, abc.MutableSequence, abc.Collection, abc.Iterable)
_SETS = (set, abc.Set, abc.MutableSet)
_MAPPINGS = (dict, abc.Mapping, abc.MutableMapping)
_QUALIFIERS = ("Final", "ClassVar", "Required", "NotRequired", "ReadOnly")
_UNIONS = (Union, types.UnionType)


class Readers:
    """Makes readers, and remembers those of classes, which may hold themselves; `doubts` are what it could not read."""

    def __init__(self) -> None:
        self.doubts: list[str] = []
        self._made: dict[Any, _Later] = {}

    def of(self, annotation: Any, variables: Variables = _NONE) -> Reader | None:
        """The reader of what is annotated so; None if that stays as JSON has it."""
        if isinstance(annotation, str | ForwardRef):
            self.doubts.append(f"the annotation {annotation!s:.80} speaks of itself, or of a name that is not there")
            return None
        if isinstance(annotation, TypeVar):
            meant = variables.get(annotation, annotation.__bound__)
            return None if meant is annotation else self.of(meant, variables)
        if isinstance(annotation, NewType):
            return self.of(annotation.__supertype__, variables)
        if isinstance(annotation, InitVar):
            return self.of(annotation.type, variables)
        if type(annotation).__name__ == "TypeAliasType":
            return self._once(annotation, lambda: self.of(annotation.__value__, variables))
        origin = get_origin(annotation)
        if origin is None:
            return self._of_class(annotation, _NONE) if isinstance(annotation, type) else None
        args = get_args(annotation)
        if not args and not isinstance(annotation, types.GenericAlias):
            # typing.List and its like, bare.
            return self._of_class(origin, _NONE) if isinstance(origin, type) else None
        return self._of_generic(annotation, origin, args, variables)

    def _of_generic(self, annotation: Any, origin: Any, args: tuple[Any, ...], variables: Variables) -> Reader | None:
        if origin in _UNIONS:
            return self._of_union(annotation, args, variables)
        if origin is Literal:
            return members("", {value: value for value in args})
        if origin is Annotated or getattr(origin, "_name", None) in _QUALIFIERS:
            return self.of(args[0], variables)
        if origin in _LISTS:
            inner = self.of(args[0], variables)
            return None if inner is None else items_of(list, inner, "a list")
        if origin is tuple:
            return self._of_tuple(args, variables)
        if origin in _SETS or origin is frozenset:
            return items_of(frozenset if origin is frozenset else set, self.of(args[0], variables), "a list of a set")
        if origin in _MAPPINGS:
            keys = integer_key if args[0] is int else self.of(args[0], variables)
            values = self.of(args[1], variables)
            return None if keys is values is None else mapping_of(keys, values)
        if isinstance(origin, type):
            given = tuple(variables.get(arg, arg) if isinstance(arg, TypeVar) else arg for arg in args)
            bound = dict(zip(getattr(origin, "__parameters__", ()), given, strict=False))
            return self._of_class(origin, bound, (origin, given))
        return None

    def _of_tuple(self, args: tuple[Any, ...], variables: Variables) -> Reader:
        if len(args) == 2 and args[1] is Ellipsis:
            return items_of(tuple, self.of(args[0], variables), "a list")
        if any(get_origin(arg) is typing.Unpack or getattr(arg, "__unpacked__", False) for arg in args):
            return items_of(tuple, None, "a list")
        return tuple_of([self.of(arg, variables) for arg in args])

    def _of_union(self, annotation: Any, args: tuple[Any, ...], variables: Variables) -> Reader | None:
        given = [variables.get(arg, arg) if isinstance(arg, TypeVar) else arg for arg in args]
        try:
            return union_of([(arg, self.of(arg, variables)) for arg in given])
        except Ambiguous as doubt:
            self.doubts.append(f"{annotation!s:.120} may be read in two ways: {doubt}")
            return None

    def _of_class(self, kind: type, variables: Variables, key: Any = None) -> Reader | None:
        if kind in (str, int, float, bool, list, dict, object, types.NoneType):
            return None
        if kind in (tuple, set, frozenset):
            return items_of(kind, None, "a list")
        if (leaf := leaf_of(kind)) is not None:
            return leaf
        if hasattr(kind, "__pydantic_validator__") and hasattr(kind, "model_validate"):
            return pydantic_of(kind)
        if typing.is_typeddict(kind):
            return self._once(key or kind, lambda: self._of_typed_dict(kind, variables))
        if is_dataclass(kind):
            return self._once(key or kind, lambda: object_of(kind, self._fields(kind, variables)))
        if issubclass(kind, tuple) and hasattr(kind, "_fields"):
            return self._once(key or kind, lambda: named_tuple_of(kind, self._fields(kind, variables)))
        return None

    def _of_typed_dict(self, kind: type, variables: Variables) -> Reader | None:
        inner = self._fields(kind, variables)
        return typed_dict_of(kind, inner, required_keys(kind)) if any(inner.values()) else None

    def _fields(self, kind: type, variables: Variables) -> dict[str, Reader | None]:
        hints, doubts = hints_of(kind)
        self.doubts += [f"{kind.__name__}.{doubt}" for doubt in doubts]
        known = _variables_of(kind, variables)
        return {name: self.of(hint, known) for name, hint in hints.items()}

    def _once(self, key: Any, make: Callable[[], Reader | None]) -> Reader | None:
        try:
            if (found := self._made.get(key)) is not None:
                return found.reader if found.is_made else found
        except TypeError:
            # What it is made of has no hash.
            return make()
        later = self._made[key] = _Later()
        later.reader = make()
        later.is_made = True
        return later.reader


class _Later:
    """The reader of a class, for what stands inside of it while it is made."""

    reader: Reader | None = None
    is_made = False

    def __call__(self, value: Any) -> Any:
        return value if self.reader is None else self.reader(value)


def _variables_of(kind: type, given: Variables) -> dict[Any, Any]:
    """What the type variables of a class and of those it inherits from stand for; one that stands for two, for any."""
    found = dict(given)
    for base in getattr(kind, "__orig_bases__", ()):
        origin = get_origin(base)
        if not isinstance(origin, type) or not hasattr(origin, "__parameters__"):
            continue
        args = [found.get(arg, arg) if isinstance(arg, TypeVar) else arg for arg in get_args(base)]
        above = _variables_of(origin, dict(zip(origin.__parameters__, args, strict=False)))
        for variable, meant in above.items():
            found[variable] = meant if found.get(variable, meant) == meant else Any
    return found
