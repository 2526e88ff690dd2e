"""Foreign text made safe to print: what a job, a row or another program wrote must not steer a terminal or a log.

Escapes stand in place of control characters (ESC, C1, DEL), of those that turn the direction of what follows (U+202E),
of line separators (U+2028, U+0085), of what is invisible, and of lone surrogates, which no stream can encode.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable


def in_one_line(text: str, limit: int | None = None) -> str:
    """The text as one line, cut to `limit` characters if one is given."""
    return _escaped(cut(text, limit), "", _python_escape)


def in_lines(text: str) -> str:
    """The text with its line breaks and tabs, and nothing else that a terminal would obey."""
    return _escaped(text, "\n\t", _python_escape)


def as_json(value: object, *, indent: int | None = None, default: Callable[[object], object] | None = None) -> str:
    """JSON that may be read on a terminal: the same value for whoever parses it.

    Raises what json.dumps() raises.
    """
    return harmless_json(json.dumps(value, ensure_ascii=False, indent=indent, default=default))


def harmless_json(text: str) -> str:
    """JSON made safe to print, as as_json() makes it: the same value for whoever parses it."""
    # Outside of its strings JSON has no character that needs this, but for the line breaks of an indent.
    return _escaped(text, "\n", _json_escape)


def cut(text: str, limit: int | None) -> str:
    """The first `limit` characters of a text, and how many there were; all of it if it is no longer."""
    if limit is None or len(text) <= limit:
        return text
    return f"{text[:limit]}... ({len(text):,} characters)"


def _escaped(text: str, kept: str, escape: Callable[[str], str]) -> str:
    # At the speed of C for almost every text.
    if text.isprintable():
        return text
    return "".join(letter if letter in kept or _is_harmless(letter) else escape(letter) for letter in text)


def _is_harmless(letter: str) -> bool:
    # Spaces of other scripts count as unprintable for Python; a Japanese text has many.
    return letter.isprintable() or unicodedata.category(letter) == "Zs"


def _python_escape(letter: str) -> str:
    return letter.encode("unicode_escape").decode()


def _json_escape(letter: str) -> str:
    return json.dumps(letter)[1:-1]
