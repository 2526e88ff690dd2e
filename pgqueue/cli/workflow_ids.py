"""Which workflow people mean: by its whole id, or by its first digits if no other's begin so."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from pgqueue.cli.job_ids import DIGITS
from pgqueue.errors import PgqueueError, UsageError, WorkflowNotFound
from pgqueue.store import execute, workflow_reading

if TYPE_CHECKING:
    import psycopg

WorkflowId = Annotated[str, typer.Argument(metavar="ID", help="The workflow's id, or its first digits.")]


class NoSuchWorkflow(WorkflowNotFound):
    """There is no workflow whose id begins like that."""

    def __init__(self, given: str) -> None:
        PgqueueError.__init__(self, f"no workflow's id begins with {given}; `pgqueue workflows list` shows them")


def workflow_id_of(conn: psycopg.Connection[Any], given: str) -> UUID:
    """The id that `given` is, or is the beginning of.

    Raises NoSuchWorkflow, and UsageError if it is no beginning of an id, or that of several.
    """
    digits = given.replace("-", "").lower()
    if not re.fullmatch(r"[0-9a-f]{1,32}", digits):
        raise UsageError(f"a workflow's id is 32 hexadecimal digits with dashes, or its first ones, got {given:.80}")
    if len(digits) == DIGITS:
        return UUID(digits)
    ends = UUID(digits.ljust(DIGITS, "0")), UUID(digits.ljust(DIGITS, "f"))
    first, last = execute(conn, workflow_reading.ids_between(*ends))
    if first is None:
        raise NoSuchWorkflow(given)
    if first != last:
        raise UsageError(f"several workflows' ids begin with {given}, such as {first} and {last}; give more digits")
    return first
