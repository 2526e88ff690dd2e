"""What it means that no connection could be made: whose fault it is, and nothing of a secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg

from pgqueue.errors import DatabaseUnreachable, HostExhausted
from pgqueue.host import lack_for_connection
from pgqueue.store.dsn import betrays, place_of
from pgqueue.store.passwords import passwords_of


def unreachable(given: Mapping[str, Any], error: psycopg.Error | OSError) -> DatabaseUnreachable:
    """What no connection to a place means, without a secret of its DSN: raise it from `error`, its cause."""
    said = in_one_line(error)
    if betrays(said, given, passwords_of(given)):
        # It cannot be its cause either: that would be printed.
        said = f"libpq refused it with {type(error).__name__}, and in words that hold a part of a secret"
        return DatabaseUnreachable(f"no connection to {place_of(given)}: {said}")
    said = f"no connection to {place_of(given)}: {said}"
    has_answered = isinstance(error, psycopg.Error) and error.sqlstate is not None
    lack = None if has_answered else lack_for_connection(error)
    if lack is None:
        unreachable = DatabaseUnreachable(said)
    else:
        unreachable = HostExhausted(f"{said}; this machine has run out of something: {lack}")
    unreachable.__cause__ = error
    return unreachable


def in_one_line(error: BaseException) -> str:
    """What libpq says, whole: the cause stands in its first line, and a question or the end of a sentence in others."""
    said = str(error).partition("Multiple connection attempts failed")[0]
    return " ".join(said.split()) or type(error).__name__
