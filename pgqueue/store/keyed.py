"""Claims of jobs that have limit keys, or whose task or queue has a limit: what a step leaves out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pgqueue.store.arrays import array_as_text, quoted
from pgqueue.store.direct import Rows
from pgqueue.store.jobs import MOST_BYTES, Step, read_step
from pgqueue.store.statement import Statement, only_value


class KeyedSlot(NamedTuple):
    """A queue at one priority, and behind which of its lanes the next claim begins: '' at the first."""

    queue: str
    priority: int
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """Where to look for slots: in these queues, or, if that is None, in some behind `after`."""

    queues: Sequence[str] | None
    after: str = ""


@dataclass(frozen=True, slots=True)
class KeyedStep:
    """What a claim of keyed jobs answers: claims as a step's, and where more may be.

    `step.next_due` is when a job falls due or a rate has room again, as far as it was looked at. `slots` are those that
    have something. `more` is whether there is more to look at in them at once; `busy` whether lanes were in the hands
    of others; `waiting` whether nothing was claimed although something is due; `unadopted` whether a rule waits for
    adopt(). `look_after` is behind which queue to look next: '' if that was all, None if it did not look.
    """

    step: Step
    slots: list[KeyedSlot]
    more: bool
    busy: bool
    waiting: bool | None
    unadopted: bool
    look_after: str | None


def claim(
    worker: int,
    epoch: int,
    slots: Sequence[KeyedSlot],
    limit: int,
    *,
    free: int,
    visits: int,
    look: Look | None = None,
    most_bytes: int = MOST_BYTES,
    careful: bool = False,
) -> Statement[KeyedStep]:
    """ready -> running for at most `limit` jobs that have limits, `free` of those that have a rate: one round trip.

    Looks at about so many lanes. `careful` passes by each job whose row the database refuses, and takes longer.
    Nothing is claimed once disown() has begun a later epoch. O((visits + limit) log n).
    """
    params = (
        worker,
        epoch,
        limit,
        free,
        most_bytes,
        visits,
        look is not None,
        None if look is None or look.queues is None else list(look.queues),
        "" if look is None else look.after,
        array_as_text([quoted(slot.queue) for slot in slots]),
        array_as_text([str(slot.priority) for slot in slots]),
        [slot.cursor for slot in slots],
        careful,
    )
    return Statement(_CLAIM, params, lambda rows: _read(rows, worker))


_CLAIM = """
select id, claim, attempt, crashes, max_attempts, timeout, store_result, priority, queue, target, args, labels,
       run_at, expired, alive, late, next_due, slots, priorities, cursors, more, busy,
       waiting, unadopted, look_after
from pgqueue.claim_keyed(
  $1::bigint, $2::int, $3::int, $4::int, $5::bigint, $6::int, $7::boolean, $8::text[], $9::text, $10::text[],
  $11::smallint[], $12::text[], $13::boolean)
"""


def queues(after: str, limit: int) -> Statement[list[str]]:
    """The names of up to `limit` queues behind one, in order, that may have keyed jobs. A few probes a queue."""
    sql = """
    select pgqueue.keyed_queues(
      $1::text, $2::int, exists (select from pgqueue.limits as l where l.scope operator(pg_catalog.=) 'task'))
    """
    return Statement(sql, (after, limit), only_value)


def adopt() -> Statement[bool]:
    """Give shares to what runs under rules that are new; False if another does so just now. Scans jobs."""
    return Statement("select pgqueue.adopt_limits()", (), only_value)


class Reconciled(NamedTuple):
    """What a reconciliation mended: shares that nobody runs under, running jobs without one, waiting ones astray."""

    dropped: int
    added: int
    moved: int


def reconcile(pages: int | None = None) -> Statement[Reconciled]:
    """Mend what hands have done to shares and lanes. Looks at so many pages of `jobs`, at all if that is None."""
    sql = "select dropped, added, moved from pgqueue.reconcile_holds($1::int)"
    return Statement(sql, (pages,), lambda rows: Reconciled(*rows[0]))


def _read(rows: Rows, worker: int) -> KeyedStep:
    header = rows[-1]
    slots = [KeyedSlot(*each) for each in zip(header[17], header[18], header[19], strict=True)]
    return KeyedStep(read_step(rows, worker), slots, *header[20:])
