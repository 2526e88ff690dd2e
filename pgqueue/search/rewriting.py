"""Queries as texts: words put in and taken out, whatever stands in them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pgqueue.globs import EXCEPT
from pgqueue.search.fields import OTHER_NAMES
from pgqueue.search.words import Word, parts, unquoted, words

# So long may a name be that is guessed.
LONGEST_NAME = 500
# What needs no quotes, and is neither a glob nor several values.
_PLAIN = re.compile(r"[\w.:/@+-]+")
# What is no query word, and may be the name of a task: `shop.mail:send`.
_TARGET = re.compile(r"[^\W\d]\w*(?:\.\w+)+:[\w.]+")


def quoted(value: str) -> str:
    """A value as a query takes it, whatever is in it."""
    if _PLAIN.fullmatch(value):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def word(field: str, value: str) -> str:
    """The word that asks for this value as it is, and for no other."""
    return f"{field}={quoted(value)}" if "*" in value or "?" in value else f"{field}:{quoted(value)}"


def replaced(text: str, field: str, value: str | None) -> str:
    """The query with this value of a field in place of any it asks for; None is any. Raises QueryError."""
    kept = [each.text for each in words(text) if not _asks(each, field)]
    return " ".join([*kept, *([] if value is None else [word(field, value)])])


def asked_for(text: str, field: str) -> str | None:
    """The one value of a field that a query asks for; None if it asks for none, or several. Raises QueryError."""
    found = [each for each in words(text) if _asks(each, field)]
    if len(found) != 1:
        return None
    values = parts(found[0].value) if found[0].sign == ":" else [unquoted(found[0].value)]
    return values[0] if len(values) == 1 else None


def within(queues: Sequence[str] | None, text: str) -> str:
    """The query among these queues alone, whatever it says: globs, and those with ! before them left out.

    Every word of a query must be met, and these come first: nothing that follows can change how they read.
    """
    if queues is None:
        return text
    wanted = [quoted(each) for each in queues if each and not each.startswith(EXCEPT)]
    unwanted = [quoted(each[1:]) for each in queues if each.startswith(EXCEPT) and each != EXCEPT]
    first = [f"queue:{','.join(wanted)}" if wanted else "-queue:*"]
    return " ".join([*first, *([f"-queue:{','.join(unwanted)}"] if unwanted else []), text]).rstrip()


def guessed(text: str) -> str | None:
    """The query that a word may mean which is none: a task's name, else a queue's; None if it is none either."""
    bare = text.strip()
    if not bare or len(bare) > LONGEST_NAME or any(letter.isspace() or letter in '"=<>\0' for letter in bare):
        return None
    if ":" not in bare:
        return word("queue", bare)
    return word("task", bare) if _TARGET.fullmatch(bare) else None


def _asks(each: Word, field: str) -> bool:
    name = each.names[0].lower()
    return OTHER_NAMES.get(name, name) == field and not each.negated and each.sign in (":", "=")
