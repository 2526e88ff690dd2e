"""Bulk actions, the newest first, and one of them: what is done to which jobs, by whom, why, and how far it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pgqueue import operations
from pgqueue.dashboard.auth import User
from pgqueue.dashboard.database import Conn, seen
from pgqueue.dashboard.pages.hidden import filter_shown
from pgqueue.dashboard.pages.page import Asked, Missing, Page
from pgqueue.errors import UsageError
from pgqueue.operations import Left
from pgqueue.store import execute, workers
from pgqueue.store import operations as store
from pgqueue.store.operations import Operation

LIMIT = 50
# What a tenant's own are found among.
LOOKED = 1_000
# Seconds that the count of what is left is good for.
GOOD_FOR = 5.0
# Later than that after its next batch was due, nobody drives it.
LATE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Told:
    """An operation as it is shown: `past` in the past tense, and whether nobody drives it though it runs."""

    row: Operation
    past: str
    stands: bool

    @property
    def looks(self) -> str:
        """The state of a job whose colour and shape it has."""
        return (
            "retrying" if self.stands else {"running": "running", "done": "succeeded"}.get(self.row.state, "cancelled")
        )


def load(conn: Conn, asked: Asked) -> dict[str, Any]:
    """A page of operations; those of others exist for those alone who see all queues."""
    before = number_of(asked.text("before"))
    looked = LIMIT if asked.user.queues is None else LOOKED
    rows = seen(conn, lambda conn: execute(conn, store.newest(before, looked + 1)))
    there = [row for row in rows[:looked] if exists_for(asked.user, row)]
    more = there[LIMIT - 1].id if len(there) > LIMIT else rows[looked - 1].id if len(rows) > looked else None
    return {"rows": [told(row, asked) for row in there[:LIMIT]], "more": more, "before": before}


def load_one(conn: Conn, asked: Asked) -> dict[str, Any]:
    """What is to be known of an operation."""
    number = number_of(asked.path["number"])
    row, there = seen(
        conn,
        lambda conn: (None if number is None else operations.get(conn, number), execute(conn, workers.rows())),
    )
    if row is None or not exists_for(asked.user, row):
        raise Missing(f"no operation {asked.path['number']:.40}")
    key = ("left", row.id, row.below, row.state)
    left = None if row.state == "done" else asked.memory.get(key, GOOD_FOR, lambda: _left(conn, row))
    return {
        "told": told(row, asked),
        "left": left,
        "share": _share(row, left),
        "length": row.changed_at - row.made_at,
        "has_workers": any(each.alive for each in there),
    }


def _left(conn: Conn, row: Operation) -> Left | None:
    try:
        return operations.left(conn, row)
    except UsageError:
        # It was written by other hands, and says nothing that could be done.
        return None


def exists_for(user: User, row: Operation) -> bool:
    """Whether an operation exists for a user: of somebody who does not see all queues their own alone."""
    return user.queues is None or (row.via == user.via and row.who == user.name)


def number_of(said: str | None) -> int | None:
    """The number of an operation in an address; None if it is none."""
    return int(said) if said is not None and said.isascii() and said.isdecimal() and len(said) < 19 else None


def told(row: Operation, asked: Asked) -> Told:
    """An operation as whoever asks may see it."""
    shown = replace(row, filter=filter_shown(row.filter, asked.user, asked.redaction) or "")
    stands = row.state == "running" and max(row.changed_at, row.next_at) < datetime.now(UTC) - LATE
    return Told(shown, operations.PAST[row.kind], stands)


def _share(row: Operation, left: Left | None) -> float | None:
    """How much of all is done; None where nobody knows."""
    if row.state == "done":
        return 1.0
    moved = row.done + row.skipped + row.failed
    return None if left is None or not left.whole or not moved + left.count else moved / (moved + left.count)


PAGE = Page("operations", "/operations", load, ("table",))
ONE = Page("operation", "/operations/{number}", load_one, ("head",))
