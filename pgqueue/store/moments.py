"""How it was at a moment: how full queues were, what ended about then, what ran, what was done by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from pgqueue.search.matching import id_floor
from pgqueue.store import tallies
from pgqueue.store.audit import Act
from pgqueue.store.direct import Rows
from pgqueue.store.statement import Statement, execute, nothing, query
from pgqueue.store.tallies import Depth

# Queues of which their numbers are told.
MOST_QUEUES = 200
# Attempts that are looked at for what ran; jobs that were enqueued so long before may have run; attempts told.
BUDGET, BEFORE, MOST_RAN = 60_000, timedelta(hours=2), 50
# The same where that took too long.
SMALL_BUDGET = 5_000
# Acts that are looked at, those told, and how near they must be.
MOST_ACTS, ACTS_TOLD, NEAR = 20_000, 20, timedelta(hours=1)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
# Rows are minutes for so long, then hours, then days (merge_tallies.sql); an hour less, to be sure.
MINUTES_KEPT, HOURS_KEPT = timedelta(hours=47), timedelta(days=89)
RELEASE = "release"


@dataclass(frozen=True, slots=True)
class Throughput:
    """How many jobs a minute ended and attempts failed in a queue."""

    queue: str
    out_per_min: float
    failed_per_min: float


@dataclass(frozen=True, slots=True)
class Then:
    """How it was at `at`.

    `noted` is when `depths` were noted last before it, and `span` of how many seconds that is the end: a minute, an
    hour, a day; None if nobody noted anything. `ended` is of a time around it, or before it where it is not long ago.
    """

    at: datetime
    noted: datetime | None
    span: int | None
    depths: Sequence[Depth]
    ended: Sequence[Throughput]

    @property
    def ready(self) -> int | None:
        """How many jobs waited, as noted; None where nobody did."""
        return self._sum("ready")

    @property
    def later(self) -> int | None:
        """How many were scheduled, or to be tried again."""
        return self._sum("later")

    @property
    def running(self) -> int | None:
        """How many were held by workers."""
        return self._sum("running")

    @property
    def dead(self) -> int | None:
        """How many dead jobs there were."""
        return self._sum("dead")

    @property
    def exact(self) -> bool:
        """Whether all of that was counted to the end."""
        return all(each.exact for each in self.depths)

    @property
    def oldest(self) -> float | None:
        """How many seconds the oldest ready job had waited."""
        return max((each.oldest for each in self.depths if each.oldest is not None), default=None)

    @property
    def in_per_min(self) -> float | None:
        """How many jobs a minute came in."""
        known = [60 * each.entered / each.span for each in self.depths if each.entered is not None]
        return sum(known) if known else None

    @property
    def out_per_min(self) -> float:
        """How many jobs a minute ended."""
        return sum(each.out_per_min for each in self.ended)

    @property
    def failed_per_min(self) -> float:
        """How many attempts a minute failed."""
        return sum(each.failed_per_min for each in self.ended)

    def _sum(self, name: str) -> int | None:
        return sum(getattr(each, name) for each in self.depths) if self.depths else None


class Ran(NamedTuple):
    """An attempt that ran at a moment, and has ended since."""

    id: UUID
    claim: int
    attempt: int
    queue: str
    target: str
    worker: int | None
    started_at: datetime
    finished_at: datetime
    outcome: str


@dataclass(frozen=True, slots=True)
class RanThen:
    """What ran at a moment and has ended since, the longest first: `ran` in all that were found, some of them told.

    `looked` is at how many attempts, of jobs enqueued until then and no earlier than `back_to`.
    """

    attempts: Sequence[Ran]
    ran: int
    looked: int
    back_to: datetime


def then(conn: psycopg.Connection[Any], at: datetime, now: datetime) -> Then:
    """How it was, in the transaction open on `conn`.

    Looks at the depths of one minute, hour or day, and at 200,000 rows of tallies.
    """
    noted = execute(conn, depths_at(at))
    since, until = _around(at, now)
    minutes = (until - since) / MINUTE
    ended: dict[str, Throughput] = {}
    for row in execute(conn, tallies.throughput(since, until, step=until - since)):
        before = ended.get(row.queue, Throughput(row.queue, 0.0, 0.0))
        ended[row.queue] = Throughput(
            row.queue, before.out_per_min + row.ended / minutes, before.failed_per_min + row.failed / minutes
        )
    return Then(
        at,
        noted[0].minute if noted else None,
        noted[0].span if noted else None,
        noted,
        sorted(ended.values(), key=lambda each: (-each.out_per_min, each.queue)),
    )


def ran_at(conn: psycopg.Connection[Any], at: datetime, budget: int = BUDGET) -> RanThen:
    """What ran, in the transaction open on `conn`: walks attempts_pkey; O(budget).

    Of jobs that were enqueued in the two hours before, whose ids tell when: others are not found.
    """
    statement = Statement(query("running_at"), (at, id_floor(at - BEFORE), budget, MOST_RAN), lambda rows: rows)
    rows: Rows = execute(conn, statement)
    looked, last, ran = rows[0][:3]
    back_to = _moment_of(last) if looked >= budget else at - BEFORE
    return RanThen([Ran._make(row[3:]) for row in rows if row[3] is not None], ran, looked, back_to)


def depths_at(at: datetime, most: int = MOST_QUEUES) -> Statement[list[Depth]]:
    """How full queues were when that was noted last before; of very many the fullest. Walks depths_pkey."""
    return Statement(query("depths_at"), (at, most), lambda rows: [Depth._make(row) for row in rows])


def acts_about(at: datetime, near: timedelta = NEAR) -> Statement[list[Act]]:
    """What was done by hand about then, and the releases that came (their action is RELEASE), the oldest first.

    Looks at the newest 20,000 acts. Walks audit_pkey.
    """
    params = (at - near, at + near, MOST_ACTS, ACTS_TOLD)
    return Statement(query("acts_about"), params, lambda rows: [Act(*row) for row in rows])


def note_release(release: str, host: str) -> Statement[None]:
    """A worker begins with this release of its application. O(1,000)."""
    sql = "select pgqueue.note_release($1::text, $2::text)"
    return Statement(sql, (release, host), nothing)


def _around(at: datetime, now: datetime) -> tuple[datetime, datetime]:
    """Whole minutes about a moment, none of which workers have still to tell of; or the hour, or day, that has it."""
    for kept, step in ((HOURS_KEPT, DAY), (MINUTES_KEPT, HOUR)):
        if now - at > kept:
            since = datetime.fromtimestamp(at.timestamp() // step.total_seconds() * step.total_seconds(), UTC)
            return since, since + step
    told = now.astimezone(UTC).replace(second=0, microsecond=0) - MINUTE
    until = min(at.astimezone(UTC).replace(second=0, microsecond=0) + 5 * MINUTE, told)
    return until - 10 * MINUTE, until


def _moment_of(job_id: UUID) -> datetime:
    return datetime.fromtimestamp((job_id.int >> 80) / 1000, UTC)
