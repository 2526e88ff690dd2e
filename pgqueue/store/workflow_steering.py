"""Workflows resumed at the pace of one who drives that: upkeep, which goes on with what is asked, is not to join."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pgqueue.store.statement import Statement, nothing


def ask_alone(workflow: UUID, since: datetime) -> Statement[None]:
    """Have a workflow's jobs retried that were dead then; unasked() follows in the same transaction. O(log n)."""
    sql = """
    update pgqueue.workflows as w
    set asked = 'retry', asked_at = $2::timestamptz
    where w.id = $1::uuid and w.asked is distinct from 'cancel'
    """
    return Statement(sql, (workflow, since), nothing)


def unasked(workflow: UUID) -> Statement[None]:
    """Nobody goes on with that after the transaction. O(log n)."""
    sql = "update pgqueue.workflows as w set asked = null, asked_at = null where w.id = $1::uuid and w.asked = 'retry'"
    return Statement(sql, (workflow,), nothing)
