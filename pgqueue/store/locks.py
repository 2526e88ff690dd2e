"""Locks of others: which rows cannot be written now, found out without waiting for one of them; and who has them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from pgqueue.store.statement import Statement, query

# A settlement waits no longer for a lock that somebody holds: longer than a commit takes, shorter than a nap.
LOCK_PATIENCE = {"lock_timeout": "500ms"}


def locked(worker: int, ids: Sequence[UUID]) -> Statement[frozenset[UUID]]:
    """Which of these jobs that `worker` runs are locked by an open transaction. O(batch log n)."""
    return Statement(_LOCKED, (worker, list(ids)), lambda rows: frozenset(row[0] for row in rows))


def holders() -> Statement[list[str]]:
    """Who may hold what was waited for in vain, in words. Reads the lock table."""
    return Statement(query("in_our_way"), (), lambda rows: [row[0] for row in rows])


_LOCKED = """
select held.id
from pgqueue.jobs as held
where held.worker = $1::bigint and held.id = any ($2::uuid[])
  and held.id <> all (array(
    select free.id from pgqueue.jobs as free where free.id = any ($2::uuid[]) for update skip locked))
"""
