"""Arguments and results to JSON and back."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pgqueue.errors import ArgumentError
from pgqueue.job import Args

# Deeper nesting breaks parsers on the way (Python's own at about 1,000 levels).
MAX_DEPTH = 200

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=True, separators=(",", ":")).encode
_decode = json.JSONDecoder().raw_decode


def encode_args(args: Args) -> str:
    """Arguments as JSON text: an array for positional ones, an object for those by keyword.

    Raises ArgumentError that names the path of what is not JSON.
    """
    if args is None:
        return "{}"
    # Before the questions below, which cost more than the encoding itself.
    if (type(args) is list or type(args) is dict) and (text := _encode_plain(args)):
        return text
    if isinstance(args, str | bytes) or not isinstance(args, Mapping | Sequence):
        raise ArgumentError(
            f"args must be a list (positional) or a mapping (by keyword), got {_type_name(args)};"
            " wrap a single argument: [value]"
        )
    return encode(dict(args) if isinstance(args, Mapping) else list(args), "args")


def encode(value: object, name: str) -> str:
    """Any JSON value as text; `name` begins the path in an ArgumentError."""
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
    for path, trouble in _troubles(value, name, 0):
        raise ArgumentError(f"{path}: {trouble}")
    return _encode(value)


def decode_args(text: str) -> tuple[list[Any], dict[str, Any]]:
    """Positional and keyword arguments from JSON text.

    Raises ArgumentError if the text is neither array nor object, or cannot be read (too deep, numbers too long).
    """
    try:
        args = _loads(text)
    except (ValueError, RecursionError) as error:
        raise ArgumentError(f"args cannot be read: {error}") from None
    if isinstance(args, list):
        return args, {}
    if isinstance(args, dict):
        return [], args
    raise ArgumentError(f"args must be a JSON array or object, got {text:.80}")


def _loads(text: str) -> Any:
    """As json.loads(), at half its cost for a text with nothing round its value."""
    try:
        value, end = _decode(text)
    except ValueError:
        end = -1
    return value if end == len(text) else json.loads(text)


def _troubles(value: object, path: str, depth: int) -> Iterator[tuple[str, str]]:
    match value:
        case None | bool():
            return
        case str():
            if not _is_unicode(value):
                yield path, "holds a lone surrogate; decode the text with errors='replace'"
        case int():
            if abs(value) >= 10**1000:
                yield path, "an integer of more than 1,000 digits; pass it as text"
        case float():
            if not math.isfinite(value):
                yield path, f"{value} is not JSON; pass None or a text"
        case dict() | list() | tuple():
            if depth >= MAX_DEPTH:
                yield path[:80] + "...", f"nested deeper than {MAX_DEPTH} levels (or in a circle); flatten it"
            else:
                yield from _troubles_inside(value, path, depth + 1)
        case _:
            yield path, f"{_type_name(value)} is not JSON serialisable; {_advice(value)}"


def _troubles_inside(
    container: dict[object, object] | list[object] | tuple[object, ...], path: str, depth: int
) -> Iterator[tuple[str, str]]:
    if not isinstance(container, dict):
        for index, item in enumerate(container):
            yield from _troubles(item, f"{path}[{index}]", depth)
        return
    for key, item in container.items():
        if not isinstance(key, str):
            yield path, f"the key {key!r:.80} is not a text; JSON has no other keys"
        elif not _is_unicode(key):
            yield path, f"the key {key!r:.80} holds a lone surrogate"
        yield from _troubles(item, f'{path}["{key}"]', depth)


def _is_unicode(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _type_name(value: object) -> str:
    return type(value).__name__


def _advice(value: object) -> str:
    match _type_name(value):
        case "datetime" | "date" | "time":
            return "pass .isoformat()"
        case "UUID" | "Decimal" | "Path" | "PosixPath" | "timedelta":
            return "pass str(...)"
        case "set" | "frozenset" | "generator" | "dict_keys" | "dict_values":
            return "pass list(...)"
        case "bytes" | "bytearray" | "memoryview":
            return "pass base64 text"
        case _:
            return "pass its id"
