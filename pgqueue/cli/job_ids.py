"""Which job people mean: by its whole id, or by its first digits if no other job's begin so."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pgqueue.errors import JobNotFound, PgqueueError, UsageError
from pgqueue.store import execute, reading

if TYPE_CHECKING:
    import psycopg

DIGITS = 32


class NoSuchJob(JobNotFound):
    """There is no job whose id begins like that."""

    def __init__(self, given: str) -> None:
        PgqueueError.__init__(self, f"no job's id begins with {given}; `pgqueue jobs list` shows them")


def job_id_of(conn: psycopg.Connection[Any], given: str) -> UUID:
    """The id that `given` is, or is the beginning of.

    Raises NoSuchJob, and UsageError if it is no beginning of an id, or that of several.
    """
    digits = given.replace("-", "").lower()
    if not re.fullmatch(r"[0-9a-f]{1,32}", digits):
        raise UsageError(f"a job's id is 32 hexadecimal digits with dashes, or its first ones, got {given:.80}")
    if len(digits) == DIGITS:
        return UUID(digits)
    first, last = execute(conn, reading.ids_between(UUID(digits.ljust(DIGITS, "0")), UUID(digits.ljust(DIGITS, "f"))))
    if first is None:
        raise NoSuchJob(given)
    if first != last:
        raise UsageError(f"several jobs' ids begin with {given}, such as {first} and {last}; give more digits")
    return first
