"""What a command says that it has done: a line each for people, or all of it as JSON for programs."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import typer

from pgqueue.cli.options import Json
from pgqueue.cli.output import print_json
from pgqueue.printable import in_one_line

_kept: ContextVar[list[dict[str, object]] | None] = ContextVar("kept", default=None)


def tell(text: str, **facts: object) -> None:
    """Say that something was done, in words; and what it was, by name, where a program asked."""
    kept = _kept.get()
    if kept is None:
        typer.echo(in_one_line(text))
    else:
        kept.append({**facts, "said": text})


def telling(function: Callable[..., Any]) -> Callable[..., Any]:
    """A command with one more option, --json, with which all that it tells is a list of objects."""

    @functools.wraps(function)
    def command(*args: Any, as_json: bool = False, **options: Any) -> Any:
        if not as_json:
            return function(*args, **options)
        kept: list[dict[str, object]] = []
        before = _kept.set(kept)
        try:
            return function(*args, **options)
        finally:
            _kept.reset(before)
            print_json(kept)

    signature = inspect.signature(function, eval_str=True)
    more = inspect.Parameter("as_json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Json)
    command.__signature__ = signature.replace(parameters=[*signature.parameters.values(), more])  # type: ignore[attr-defined]
    command.__annotations__ = {each.name: each.annotation for each in command.__signature__.parameters.values()}  # type: ignore[attr-defined]
    return command
