"""What an error of a server says of rows: `DETAIL:  Key (email)=(ann@example.org) already exists.`, and more like it.

The server adds such fields for whoever may see the row; an error is read by others. So they are taken out of what is
kept and told of errors, unless PGQUEUE_ERROR_DETAIL=1 asks for them. Which words they are is known from the error
itself, of psycopg, psycopg2, asyncpg, and of SQLAlchemy and Django around them; where only a text is left, by the names
of the fields. What the message itself says (`invalid input syntax for type uuid: "x"`) stays.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from pgqueue.leaving_out import HIDDEN

VARIABLE = "PGQUEUE_ERROR_DETAIL"
_YES = frozenset({"1", "true", "yes", "on"})
# Of the causes and members of an error so many are asked.
_MOST_RELATED = 200
# Letters, and lines of one detail.
_SHORTEST, _MOST_LINES = 8, 200
# As diag of psycopg has them; asyncpg has their last words as attributes.
_FIELDS = ("message_detail", "internal_query")
_FIELDS_OF_ASYNCPG = ("detail", "internal_query")
# The end of a line, also in the repr of a text.
_END = r"(?:\n|\\n)"
# The name of a field begins a word, also there.
_BEGIN = r"(?:\b|(?<=\\n))"
# What follows a field that is to go: the next field, SQLAlchemy's words, the next traceback, or the end.
_NEXT = (
    rf"(?={_END}[\s|]*(?:HINT|CONTEXT|QUERY|STATEMENT|LINE\s\d+):\s"
    rf"|{_END}[\s|]*\[(?:SQL|parameters):|\n\n|\Z)"
)
_IN_TEXT = re.compile(rf"{_BEGIN}(DETAIL|QUERY):  .*?{_NEXT}", re.DOTALL)
_CONTEXT = re.compile(rf"{_BEGIN}CONTEXT:  .*?{_NEXT}", re.DOTALL)
# A line of a context that names code and no values.
_CODE = re.compile(r"\s*\|?\s*(?:PL/\w+|SQL) function [^\n]*?(?: line \d+ at [\w ]+| statement \d+)?")
# The piece of the statement in which a mistake is; with a literal in it that is a value.
_LINE = re.compile(r"\b(LINE \d+: )[^\n\\]*'[^\n]*")
_PARAMETERS = re.compile(rf"\[parameters: .*?\](?={_END}\(Background on|{_END}|\Z)", re.DOTALL)


def without_details(text: str, error: BaseException | None = None) -> str:
    """A text about an error, without what a server said of rows in it; `error` is the one that it is about."""
    if os.environ.get(VARIABLE, "").strip().lower() in _YES:
        return text
    if error is not None:
        for detail in _details(error):
            text = _replaced(text, detail)
    if "DETAIL:" in text or "QUERY:" in text:
        text = _IN_TEXT.sub(rf"\1:  {HIDDEN}", text)
    if "CONTEXT:" in text:
        text = _CONTEXT.sub(_code_alone, text)
    if "[parameters:" in text:
        text = _PARAMETERS.sub(f"[parameters: {HIDDEN}]", text)
    return _LINE.sub(rf"\1{HIDDEN}", text) if "LINE " in text else text


def _details(error: BaseException) -> Iterator[str]:
    """What errors of servers, from this one on, say of rows."""
    for each in _related(error):
        diag = _attribute(each, "diag")
        source, names = (each, _FIELDS_OF_ASYNCPG) if diag is None else (diag, _FIELDS)
        for name in names:
            found = _attribute(source, name)
            # A shorter one is found in any text; by the name of its field it is found in its own place.
            if type(found) is str and len(found) >= _SHORTEST:
                yield found


def _related(error: BaseException) -> Iterator[BaseException]:
    """The error, what it came of, its members, and what SQLAlchemy put it round."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting and len(seen) < _MOST_RELATED:
        each = waiting.pop()
        if not isinstance(each, BaseException) or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        waiting += [each.__cause__, each.__context__, _attribute(each, "orig")]
        if isinstance(each, BaseExceptionGroup):
            waiting += each.exceptions[:_MOST_RELATED]


def _attribute(thing: object, name: str) -> object:
    # Exceptions are the user's code, and may do anything when they are looked at.
    try:
        return getattr(thing, name, None)
    except BaseException:
        return None


def _replaced(text: str, detail: str) -> str:
    for form in (detail, repr(detail)[1:-1]):
        text = text.replace(form, HIDDEN)
    # In the traceback of a group each line stands for itself, behind a bar.
    for line in detail.splitlines()[:_MOST_LINES] if "\n" in detail else ():
        if len(line) >= _SHORTEST:
            text = text.replace(line, HIDDEN)
    return text


def _code_alone(found: re.Match[str]) -> str:
    lines = re.split(_END, found[0].removeprefix("CONTEXT:  "))
    kept = [line for line in lines if _CODE.fullmatch(line)]
    return "CONTEXT:  " + ("\n".join(kept) if kept else HIDDEN)
