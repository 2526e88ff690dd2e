"""Which cause people mean: by its twelve digits, or by the first of them if no other one's begin so."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import typer

from pgqueue.cli.errors import Exit, say_error
from pgqueue.errors import UsageError
from pgqueue.store import causes, execute

if TYPE_CHECKING:
    import psycopg

DIGITS = 12


def cause_of_prefix(conn: psycopg.Connection[Any], given: str) -> str:
    """The cause that `given` is, or is the beginning of. Ends the command if there is none; UsageError for several."""
    digits = given.lower()
    if not re.fullmatch(r"[0-9a-f]{1,12}", digits):
        raise UsageError(f"a cause is 12 hexadecimal digits, or its first ones, got {given:.80}")
    found = execute(conn, causes.matching(digits, 2))
    if not found:
        say_error(f"no cause begins with {given}; `pgqueue causes list` shows them")
        raise typer.Exit(Exit.NOT_FOUND)
    if len(found) > 1:
        raise UsageError(f"several causes begin with {given}, such as {found[0]} and {found[1]}; give more digits")
    return found[0]
