"""Arguments and results to JSON and back."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from pgqueue.arguments.sizes import check_size
from pgqueue.arguments.writing import MAX_DEPTH, Unwritable, written
from pgqueue.errors import ArgumentError
from pgqueue.job import Args, NewJob

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=True, separators=(",", ":")).encode
_decode = json.JSONDecoder().raw_decode


def args_of(new: NewJob) -> str:
    """The arguments of a new job as JSON text. Raises ArgumentError, also where they are too large."""
    return encode_args(new.args, new.max_args)


def encode_args(args: Args, most: float | None = None) -> str:
    """Arguments as JSON text: an array for positional ones, an object for those by keyword.

    Each value is written by its own type. Raises ArgumentError that names the path of what is not JSON, or if there are
    more bytes than `most` (None: as usual; inf: however many).
    """
    if args is None:
        return "{}"
    # Before the questions below, which cost more than the encoding itself.
    if (type(args) is list or type(args) is dict) and (text := _encode_plain(args)):
        return text
    if isinstance(args, str | bytes) or not isinstance(args, Mapping | Sequence):
        raise ArgumentError(
            f"args must be a list (positional) or a mapping (by keyword), got {type(args).__name__};"
            " wrap a single argument: [value]"
        )
    text = encode(dict(args) if isinstance(args, Mapping) else list(args), "args")
    if most != math.inf:
        check_size(text, args, most)
    return text


def encode(value: object, name: str) -> str:
    """Any value as JSON text, written by its own type; `name` begins the path in an ArgumentError."""
    return _encode_plain(value) or _encode_checked(value, name)


def _encode_plain(value: object) -> str | None:
    """The text of a value that is so small and plain that nothing can be wrong with it: four times as fast."""
    try:
        text = _encode(value)
    except (TypeError, ValueError, RecursionError):
        return None
    # Too short for a nesting too deep or a number too long; ASCII holds no lone surrogate; only objects have keys.
    if len(text) > 2 * MAX_DEPTH or not text.isascii():
        return None
    objects = 1 if type(value) is dict and all(type(key) is str for key in value) else 0
    return text if text.count("{") == objects else None


def _encode_checked(value: object, name: str) -> str:
    try:
        ready = written(value)
    except Unwritable as trouble:
        raise ArgumentError(f"{trouble.path(name)}: {trouble.why}") from None
    return _encode(ready)


def decode_args(text: str) -> tuple[list[Any], dict[str, Any]]:
    """Positional and keyword arguments from JSON text.

    Raises ArgumentError if the text is neither array nor object, or cannot be read (too deep, numbers too long).
    """
    try:
        args = load(text)
    except (ValueError, RecursionError) as error:
        raise ArgumentError(f"args cannot be read: {error}") from None
    if isinstance(args, list):
        return args, {}
    if isinstance(args, dict):
        return [], args
    raise ArgumentError(f"args must be a JSON array or object, got {text:.80}")


def load(text: str) -> Any:
    """As json.loads(), at half its cost for a text with nothing round its value. Raises ValueError, RecursionError."""
    try:
        value, end = _decode(text)
    except ValueError:
        end = -1
    return value if end == len(text) else json.loads(text)
