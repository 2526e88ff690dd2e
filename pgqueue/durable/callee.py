"""What a step calls: whether it wants a connection, and how its result is made again of JSON."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from types import FunctionType
from typing import Any, Literal, get_origin

import psycopg

from pgqueue.arguments.hints import hints_of
from pgqueue.arguments.mismatch import Reader
from pgqueue.arguments.signature import annotations_of
from pgqueue.errors import AnnotationWarning, TargetError
from pgqueue.tasks import Task, registered, target_of
from pgqueue.tasks.offered import is_defined_in, members_of
from pgqueue.tasks.target import fault_in

Connection = Literal["sync", "async"]
_KINDS: tuple[tuple[type, Connection], ...] = ((psycopg.AsyncConnection, "async"), (psycopg.Connection, "sync"))


@dataclass(frozen=True, slots=True)
class Callee:
    """A function that a step calls: `connection` is of which kind its first argument is to be one, if it is."""

    function: Callable[..., Any]
    name: str
    is_async: bool
    connection: Connection | None
    reader: Reader | None


def callee_of(function: Callable[..., Any]) -> Callee:
    """What there is to know of it; of a Task its function."""
    if isinstance(function, Task):
        kind: Connection = "async" if function.is_async else "sync"
        own = _known(function.function)
        return Callee(own.function, function.target, own.is_async, kind if function.transactional else None, own.reader)
    try:
        return _known(function)
    except TypeError:
        # Of a kind that cannot be remembered.
        return _known.__wrapped__(function)


def name_of(function: Callable[..., Any]) -> str:
    """What people call a function."""
    return str(getattr(function, "__qualname__", None) or type(function).__name__)


def undo_named(function: Callable[..., Any], home: str) -> str:
    """The target by which an undo is found again, by a workflow of the module `home`. Raises TargetError."""
    target = target_of(function)
    if isinstance(function, Task) or registered(target) is not None or _beside(target, home) is not None:
        return target
    raise TargetError(
        f"{target} is to undo what a workflow of {home} has done, and is not defined there: of other modules a row may"
        " name no function; make it a @task, or write a function beside the workflow that calls it"
    )


def undo_found(target: str, home: str) -> Callable[..., Any]:
    """The function of such a target. Raises TargetError where it may not be called, or is not there any more."""
    found = registered(target) or _beside(target, home)
    if found is None:
        raise TargetError(
            f"{target}, which undoes what was done, is no @task and not defined in {home} any more; put it back, and"
            " retry this job"
        )
    return found


def _beside(target: str, home: str) -> FunctionType | None:
    """The function of a target that stands in the same module: there a row may name any, as no job is to call it."""
    module, _, name = target.partition(":")
    member = members_of(home).get(name) if module == home and fault_in(target) is None else None
    return member if type(member) is FunctionType and is_defined_in(home, member) else None


@lru_cache(maxsize=1_000)
def _known(function: Callable[..., Any]) -> Callee:
    name, is_async = name_of(function), inspect.iscoroutinefunction(function)
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        # Written in C, and says nothing of itself.
        return Callee(function, name, is_async, None, None)
    found = annotations_of(function, signature) if hasattr(function, "__code__") else None
    if found is not None:
        for doubt in found.doubts:
            if doubt.startswith("return"):
                warnings.warn(f"{name}: {doubt}", AnnotationWarning, stacklevel=4)
    return Callee(function, name, is_async, _connection(function, signature), None if found is None else found.result)


def _connection(function: Callable[..., Any], signature: inspect.Signature) -> Connection | None:
    first = next(iter(signature.parameters.values()), None)
    if first is None or first.annotation is first.empty:
        return None
    said = first.annotation
    if isinstance(said, str):
        hint = hints_of(function)[0].get(first.name) if hasattr(function, "__code__") else None
        if hint is None:
            return _by_its_text(said)
        said = hint
    said = get_origin(said) or said
    return next((kind for of, kind in _KINDS if isinstance(said, type) and issubclass(said, of)), None)


def _by_its_text(said: str) -> Connection | None:
    """What is imported for type checkers alone."""
    last = said.partition("[")[0].rpartition(".")[2].strip()
    return {"Connection": "sync", "AsyncConnection": "async"}.get(last)  # type: ignore[return-value]  # its values are
