"""JSON read and written with its numbers as they are: no digit is lost, which a browser or a person is to see."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any


class Number(str):
    """A number as it was written: no digit is lost."""

    __slots__ = ()


def read(text: str) -> Any:
    """The value of a text, each number a Number. Raises ValueError, RecursionError."""
    return json.loads(text, parse_int=Number, parse_float=Number, parse_constant=Number)


def laid_out(text: str) -> str:
    """JSON text laid out, its numbers as they were written; as it is if it cannot be read."""
    try:
        return written(read(text))
    except (ValueError, RecursionError):
        return text


def written(value: Any, indent: int | None = 2) -> str:
    """A value as JSON with its numbers as they were written; in one line without an indent."""
    return "".join(_pieces(value, "", "") if indent is None else _pieces(value, "\n", " " * indent))


def _pieces(value: Any, newline: str, step: str) -> Iterator[str]:
    if isinstance(value, Number):
        yield str(value)
    elif isinstance(value, dict) and value:
        yield from _within("{", "}", newline, step, [(f"{_text(key)}: ", each) for key, each in value.items()])
    elif isinstance(value, list) and value:
        yield from _within("[", "]", newline, step, [("", each) for each in value])
    else:
        yield _text(value)


def _within(begin: str, end: str, newline: str, step: str, items: Sequence[tuple[str, Any]]) -> Iterator[str]:
    inner = newline + step
    yield begin
    for number, (name, each) in enumerate(items):
        yield f"{',' if number else ''}{inner}{name}"
        yield from _pieces(each, inner, step)
    yield newline + end


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
