"""What a bulk action would do, and what one has still to do: counted as far as that is cheap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from pgqueue.job import JobState
from pgqueue.operations.plan import STATES, Conn, Plan, asked, shown_to, top
from pgqueue.search import parse_kept
from pgqueue.store import execute, operations, searching
from pgqueue.store.looking import LONGER, look
from pgqueue.store.operations import Operation

# Seconds of a look, and of that for a preview.
LOOK, LONGEST = 0.2, 0.4
# As many a preview counts, and looks at for it.
COUNTED, PREVIEWED = 10_001, 40_000
SAMPLES = 5


@dataclass(frozen=True, slots=True)
class Preview:
    """What an operation would do: how many jobs by state, the ids of some, and what is left out.

    `looked` is how many were looked at, and `whole` whether that was all. `left` are those that the query asks for and
    that are in another state, `kept` those that a live job's unique key keeps dead.
    """

    states: dict[str, int]
    samples: list[UUID]
    left: dict[str, int]
    kept: int
    looked: int
    whole: bool

    @property
    def count(self) -> int:
        """How many jobs were found; there may be more unless `whole`."""
        return sum(self.states.values())


@dataclass(frozen=True, slots=True)
class Left:
    """How many jobs are still to come; there may be more unless `whole`."""

    count: int
    whole: bool


def preview(conn: Conn, plan: Plan) -> Preview | None:
    """What an operation would do, counted as far as that is cheap; None if the database did not answer in time."""
    return look(conn, lambda conn: counted(conn, plan), LONGER)


def counted(conn: Conn, plan: Plan) -> Preview:
    """As preview(), in the transaction open on `conn`."""
    query = asked(plan.kind, plan.filter, plan.made_at)
    shown = shown_to(conn, query)
    meant = searching.search(conn, query, limit=COUNTED, budget=PREVIEWED, seconds=LONGEST, shown=shown)
    every = searching.search(conn, parse_kept(plan.filter, plan.made_at), limit=1000, seconds=LOOK, shown=shown)
    left_out = [each.state for each in every.candidates if each.state not in STATES[plan.kind]]
    dead = [each.id for each in meant.candidates if each.state == JobState.DEAD]
    kept = execute(conn, operations.keys_taken(dead)) if plan.kind == "retry" and dead else 0
    ids = [each.id for each in meant.candidates[:SAMPLES]]
    states = _counts([each.state for each in meant.candidates])
    return Preview(states, ids, _counts(left_out), kept, meant.looked, meant.next is None)


def left(conn: Conn, operation: Operation) -> Left | None:
    """How many jobs an operation has still to look at, as far as that is cheap; None if it took too long."""

    def count(conn: Conn) -> Left:
        query = asked(operation.kind, operation.filter, operation.made_at)
        below = operation.below or top(operation, query)
        shown = shown_to(conn, query)
        found = searching.search(conn, query, before=below, limit=COUNTED, seconds=LOOK, shown=shown)
        return Left(len(found.candidates), found.next is None)

    return look(conn, count)


def _counts(states: Sequence[str]) -> dict[str, int]:
    return {str(state): states.count(state) for state in JobState if state in states}
