"""The words of a query: separated by spaces, each `field:value`, with quotes round what has spaces or commas in it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pgqueue.errors import QueryError

# Room for the ids of a page of 200; and for the queues of whoever asks besides.
LONGEST, LONGEST_KEPT = 8000, 100_000
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_FIELD = re.compile(rf"(-?)((?:[^\s:=<>!\".]+)(?:\.(?:{_QUOTED}|[^\s:=<>!\".]+))*)(!=|>=|<=|[:=<>])", re.DOTALL)
_VALUE = re.compile(rf"(?:{_QUOTED}|[^\s\"])*", re.DOTALL)
_SEGMENT = re.compile(rf"{_QUOTED}|[^.\"]+", re.DOTALL)
_PART = re.compile(rf"(?:{_QUOTED}|[^,\"])*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a query, not yet understood."""

    negated: bool
    names: tuple[str, ...]
    sign: str
    value: str
    text: str
    place: int


def words(text: str, longest: int = LONGEST) -> list[Word]:
    """The words of a query. Raises QueryError for what is none."""
    if len(text) > longest:
        raise QueryError(f"a query has at most {longest:,} characters, got {len(text):,}")
    found, place = [], 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        field = _FIELD.match(text, place)
        if field is None:
            raise QueryError(_no_word(text[place:]), place, len(text[place:].split(maxsplit=1)[0]))
        value = _VALUE.match(text, field.end())
        assert value is not None
        place = value.end()
        if place < len(text) and not text[place].isspace():
            begin = field.start()
            raise QueryError(f"a quote is not closed: {_first(text[begin:])}", begin, len(text) - begin)
        names = tuple(unquoted(each) for each in _SEGMENT.findall(field[2]))
        found.append(Word(bool(field[1]), names, field[3], value[0], text[field.start() : place], field.start()))
    return found


def parts(value: str) -> list[str]:
    """The values between commas, without their quotes."""
    found, place = [], 0
    while True:
        part = _PART.match(value, place)
        assert part is not None
        found.append(unquoted(part[0]))
        place = part.end() + 1
        if part.end() >= len(value):
            return found


def unquoted(text: str) -> str:
    """The text with each quoted piece as what it says."""
    return re.sub(
        _QUOTED, lambda quoted: re.sub(r"\\(.)", r"\1", quoted[0][1:-1], flags=re.DOTALL), text, flags=re.DOTALL
    )


def _no_word(rest: str) -> str:
    word = _first(rest)
    return (
        f"a word of a query reads field:value, got {word!r};"
        f" for example queue:mail, task:send_*, state:dead, error:{word.strip(chr(34)) or 'timeout'}"
    )


def _first(text: str) -> str:
    return (text.split(maxsplit=1) or [""])[0][:80]
