"""Tallies: how many attempts ended how, and how long they waited and ran, counted here and appended once a minute.

The claim loop tells of each batch that the database has acknowledged; the heartbeat's connection appends what was
counted. A worker that vanishes loses at most a minute of it, which another one makes up from the history.
"""

from __future__ import annotations

import json
import random
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pgqueue.buckets import BOUNDS, BUCKETS
from pgqueue.encryption import is_encrypted_text
from pgqueue.events import AttemptsFinished, AttemptsLate, Event, Finished
from pgqueue.job import Claim
from pgqueue.outcome import Move, Settlement
from pgqueue.store import execute, tallies
from pgqueue.worker.loop import Connection

# Seconds between two appends; the first comes sooner, for who looks at a worker that has just begun.
FIRST, EVERY = 5.0, 60.0
# Rows of one minute, causes among them, and minutes that wait while the database is away: what is more counts as OTHER.
MOST_ROWS, MOST_CAUSES, MOST_MINUTES = 500, 50, 8
OTHER = "other"
# Causes whose error is not told a second time.
MOST_KNOWN = 1_000
# Of a row's attempts of a minute that many are timed, of what is more one in so many, for all of them: it is enough for
# any quantile, and a minute may have millions.
MOST_TIMED, TIMED = 1_000, 8
SHORTEST = BOUNDS[0]
_SUCCEED = Move.SUCCEED
_ENDING = frozenset({Move.SUCCEED, Move.BRING, Move.END, Move.NOTHING})

# Queue, target, outcome, cause.
Key = tuple[str, str, str, str | None]


class _Count:
    """What one row of a minute says."""

    __slots__ = ("ended", "error", "expected", "n", "run", "wait")

    def __init__(self) -> None:
        self.n = self.ended = 0
        self.wait = [0] * BUCKETS
        self.run = [0] * BUCKETS
        # Of a cause that is met the first time: the type of its error, and the error.
        self.error: tuple[str | None, str | None] | None = None
        self.expected = False

    def time(self, ran: float, waited: float, n: int) -> None:
        """How long the nth took, for as many as it stands for."""
        weight = 1 if n <= MOST_TIMED else TIMED
        # By far the most where it matters are so short.
        self.run[bisect_left(BOUNDS, ran) if ran > SHORTEST else 0] += weight
        self.wait[bisect_left(BOUNDS, waited)] += weight


@dataclass(frozen=True, slots=True)
class _Batch:
    """What is sent, again and again until the database has answered."""

    number: int
    until: datetime | None
    rows: str


class Tallies:
    """Told by the claim loop, emptied by the heartbeat's thread; whatever happens its size is bounded."""

    def __init__(self, worker: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._worker = worker
        self._clock = clock
        self._lock = threading.Lock()  # guards _minutes, _causes and _until
        self._minutes: dict[int, dict[Key, _Count]] = {}
        self._causes: set[str] = set()
        self._known: set[str] = set()
        # All that had ended by then, by the database's clock, is counted.
        self._until: datetime | None = None
        # What to add to this process's monotonic clock to have the database's.
        self._shift = time.time() - clock()
        self._number = 0
        self._sending: _Batch | None = None
        self._first = True
        # How many attempts it has counted in all.
        self.total = 0

    def hear(self, event: Event) -> None:
        """Count what has ended."""
        match event:
            case AttemptsFinished(batch, at, asked):
                with self._lock:
                    if at is not None:
                        self._until, self._shift = at, at.timestamp() - asked
                    self._count(batch, late=False)
            case AttemptsLate(batch):
                with self._lock:
                    self._count(batch, late=True)
            case _:
                pass

    def look(self, conn: Connection) -> float:
        """Append what was counted; answers the seconds until the next time."""
        if self._first:
            self._first = False
            return random.uniform(FIRST / 2, FIRST)
        self.append(conn)
        return EVERY * random.uniform(0.9, 1.0)

    def append(self, conn: Connection, *, last: bool = False) -> None:
        """Append what was counted. The `last` time, if this worker has settled all that it ever will."""
        if self._sending is None:
            self._sending = self._taken()
        batch = self._sending
        if batch is None and last:
            self._number += 1
            batch = _Batch(self._number, None, "[]")
        if batch is not None:
            # Where the lease was given up, all that was settled is made up from the history.
            execute(conn, tallies.append_of(self._worker, batch.number, batch.until, batch.rows, last=last))
            self._sending = None

    def _taken(self) -> _Batch | None:
        with self._lock:
            minutes, self._minutes, self._causes = self._minutes, {}, set()
            until = self._until
        if not minutes:
            return None
        self._number += 1
        rows = [self._row(minute, key, count) for minute, counts in minutes.items() for key, count in counts.items()]
        return _Batch(self._number, until, json.dumps(rows, separators=(",", ":")))

    def _row(self, minute: int, key: Key, count: _Count) -> dict[str, object]:
        queue, target, outcome, cause = key
        row: dict[str, object] = {
            "minute": datetime.fromtimestamp(60 * minute, UTC).isoformat(),
            "worker": self._worker,
            "queue": queue,
            "target": target,
            "outcome": outcome,
            "n": count.n,
            "ended": count.ended,
        }
        if any(count.wait):
            row["wait"] = count.wait
        if any(count.run):
            row["run"] = count.run
        if cause is not None:
            row["cause"] = cause
        if count.error is not None:
            row["error_type"], row["error"] = count.error
            if count.expected:
                row["expected"] = True
        if target == OTHER:
            row["degraded"] = True
        return row

    def _count(self, batch: Sequence[Finished], *, late: bool) -> None:
        """On the path of every job: those of a batch are mostly of one task, and succeed; their row is found once."""
        shift = self._shift
        counts = self._counts(int((shift + self._clock()) // 60))
        queue = target = ""
        # The row of those that succeed one after the other, and what is to be its n.
        usual, n = _Count(), 0
        for claim, settlement, elapsed, ended in batch:
            if settlement.move is _SUCCEED and not late:
                if claim.target != target or claim.queue != queue:
                    self._add(usual, n)
                    queue, target = claim.queue, claim.target
                    usual = self._found(counts, claim, settlement, late=False)
                    n = usual.n
                n += 1
                if ended and (n <= MOST_TIMED or not n % TIMED):
                    usual.time(elapsed, shift + ended - elapsed - claim.run_at.timestamp(), n)
            elif settlement.move is not Move.PARK and (settlement.move is not Move.RELEASE or settlement.started):
                # Of the others there is no attempt. The row may be the usual one, too.
                self._add(usual, n)
                count = self._found(counts, claim, settlement, late=late)
                self._add(count, count.n + 1, ends=settlement.move in _ENDING and not late)
                if ended and (count.n <= MOST_TIMED or not count.n % TIMED):
                    count.time(elapsed, shift + ended - elapsed - claim.run_at.timestamp(), count.n)
                n = usual.n
        self._add(usual, n)

    def _add(self, count: _Count, n: int, *, ends: bool = True) -> None:
        """There are `n` in this row now."""
        self.total += n - count.n
        if ends:
            count.ended += n - count.n
        count.n = n

    def _found(self, counts: dict[Key, _Count], claim: Claim, settlement: Settlement, *, late: bool) -> _Count:
        cause = None if late else settlement.cause
        key = (claim.queue, claim.target, "late" if late else settlement.outcome, cause)
        count = counts.get(key)
        if count is None or cause is not None:
            error = None if is_encrypted_text(settlement.error) else settlement.error
            count = self._counted(counts, key, settlement.error_type, error)
            count.expected = settlement.expected
        return count

    def _counts(self, minute: int) -> dict[Key, _Count]:
        if minute not in self._minutes and len(self._minutes) >= MOST_MINUTES:
            minute = max(self._minutes)
        return self._minutes.setdefault(minute, {})

    def _counted(self, counts: dict[Key, _Count], key: Key, error_type: str | None, error: str | None) -> _Count:
        """The row of a key that may be new, or may be of a cause that is."""
        queue, target, outcome, cause = key
        if cause is not None and cause not in self._causes:
            if len(self._causes) >= MOST_CAUSES:
                cause = OTHER
            else:
                self._causes.add(cause)
        key = (queue, target, outcome, cause)
        if key not in counts and len(counts) >= MOST_ROWS:
            key = (OTHER, OTHER, outcome, None if cause is None else OTHER)
        count = counts.setdefault(key, _Count())
        if cause is not None and cause not in self._known and key[3] not in (None, OTHER):
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known.add(cause)
            count.error = (error_type, None if error is None else error[:500])
        return count
