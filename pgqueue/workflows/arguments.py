"""The arguments of a node: what is known goes as it is, what is not is left to the database to fill in."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from pgqueue.errors import ArgumentError, UsageError
from pgqueue.job import Args, NewJob
from pgqueue.sealed import codec_of
from pgqueue.store.workflow_rows import Ref
from pgqueue.workflows.placeholders import Placeholder

# What a placeholder stands for: a text, or where it will be found.
Look = Callable[[Placeholder], "Known | Ref"]


class Known(NamedTuple):
    """A value that is known when the workflow is enqueued."""

    value: Any


def placeholders_of(args: Args) -> list[Placeholder]:
    """Those among the arguments."""
    if args is None or isinstance(args, str):
        return []
    values = args if type(args) is tuple or not isinstance(args, Mapping) else args.values()
    return [value for value in values if isinstance(value, Placeholder)]


def taken_out(new: NewJob, look: Look) -> tuple[NewJob, dict[str, Ref]]:
    """The job with what is known, and what is to be filled in by name, or by place. Raises ArgumentError."""
    inputs: dict[str, Ref] = {}
    if not placeholders_of(new.args):
        return new, inputs
    pairs: list[tuple[Any, Any]] = []
    by_name = isinstance(new.args, Mapping)
    named = new.args.items() if isinstance(new.args, Mapping) else enumerate(new.args or ())
    for key, value in named:
        found = look(value) if isinstance(value, Placeholder) else Known(value)
        if isinstance(found, Known):
            pairs.append((key, found.value))
            continue
        inputs[str(key)] = found
        if not by_name:
            pairs.append((key, None))
    args: Args = dict(pairs) if by_name else [value for _, value in pairs]
    return replace(new, args=args), inputs


def written_inputs(inputs: Mapping[str, Ref]) -> str | None:
    """As the database reads them; None if there is nothing to fill in."""
    return json.dumps(inputs, separators=(",", ":")) if inputs else None


def filled_now(args: Args, inputs: Mapping[str, Ref]) -> Args:
    """Arguments of a job that waits for nothing: all that it would be given is empty."""
    if isinstance(args, Mapping):
        return {**args, **{key: _empty(ref) for key, ref in inputs.items()}}
    values = list(args or ())
    for key, ref in inputs.items():
        values[int(key)] = _empty(ref)
    return values


def _empty(ref: Ref) -> Any:
    if isinstance(ref, list):
        return [_empty(each) for each in ref]
    return [] if isinstance(ref, int) else None


def refused(new: NewJob, error: ArgumentError) -> Exception:
    """The error to raise where arguments cannot be written: it may be for a placeholder in a place that has none."""
    if codec_of(new.args) is None and (path := _inner(new.args)):
        return ArgumentError(
            f"args{path}: a result cannot stand inside a list or a mapping; give it an argument of its own"
        )
    return error


def _inner(value: Any, depth: int = 0) -> str | None:
    """The path to a placeholder in it."""
    if isinstance(value, Placeholder):
        return "" if depth else None
    if depth > 20 or isinstance(value, str | bytes):
        return None
    items: Any = ()
    if isinstance(value, Mapping):
        items = ((f'["{key}"]', each) for key, each in value.items())
    elif isinstance(value, Sequence | set | frozenset):
        items = ((f"[{number}]", each) for number, each in enumerate(value))
    for step, each in items:
        if (found := _inner(each, depth + 1)) is not None:
            return f"{step}{found}"
    return None


def not_sealed(name: str, target: str) -> UsageError:
    """For results that cannot be read by the database."""
    return UsageError(
        f"{target} has a codec, so that the result of {name!r} is sealed and cannot be filled in; let the task ask for"
        " it: current_job().gathered(...)"
    )
