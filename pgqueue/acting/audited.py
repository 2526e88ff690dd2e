"""An act and its row in the audit, in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from pgqueue.store import audit, execute

Conn = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, by which door, and why: as the audit names them."""

    who: str
    via: str
    reason: str | None = None


@dataclass(slots=True)
class Act:
    """Whether what was tried was done; what was not is undone, and not written down."""

    done: bool = True


@contextmanager
def audited(
    conn: Conn, actor: Actor, action: str, *, on: str | None = None, job_ids: Sequence[UUID] = ()
) -> Iterator[Act]:
    """A transaction in which something is done, and written into the audit. `on` is a name or a query."""
    act = Act()
    n = len(job_ids) or None
    with conn.transaction() as transaction:
        # First: the functions that it calls see that it is said already (note_act.sql).
        execute(
            conn, audit.write(actor.who, actor.via, action, filter_text=on, job_ids=job_ids, n=n, reason=actor.reason)
        )
        yield act
        if not act.done:
            raise psycopg.Rollback(transaction)
