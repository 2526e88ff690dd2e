"""Who did what by hand: written in the transaction of the act, and read back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pgqueue.store.statement import Statement, nothing, query

# So many ids of jobs a row names.
MOST_IDS = 20


@dataclass(frozen=True, slots=True)
class Act:
    """One act of a human: who, by which door, what, on which jobs or which filter, on how many, and why.

    `role` is the role of the database that the session had begun with, as the database itself has noted it: `who` and
    `via` are what the door says.
    """

    id: int
    at: datetime
    who: str
    via: str
    action: str
    filter: str | None
    job_ids: list[UUID] | None
    n: int | None
    reason: str | None
    role: str | None


def write(
    who: str,
    via: str,
    action: str,
    *,
    filter_text: str | None = None,
    job_ids: Sequence[UUID] = (),
    n: int | None = None,
    reason: str | None = None,
) -> Statement[None]:
    """Write an act down, in the transaction in which it is done. O(1)."""
    ids = list(job_ids[:MOST_IDS]) or None
    return Statement(_WRITE, (who, via, action, filter_text, ids, n, reason), nothing)


_WRITE = """
insert into pgqueue.audit (who, via, action, filter, job_ids, n, reason)
values ($1::text, $2::text, $3::text, $4::text, $5::uuid[], $6::bigint, $7::text)
"""


def newest(before: int | None, limit: int) -> Statement[list[Act]]:
    """The newest acts below a number. Walks audit_pkey."""
    return Statement(query("audit"), (before, limit), lambda rows: [Act(*row) for row in rows])
