"""Dead jobs in bulk: revive or forget them, a bounded batch a statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pgqueue.job import Claim
from pgqueue.outcome import Move, Settlement
from pgqueue.store.statement import Statement, only_value, query


@dataclass(frozen=True, slots=True)
class Revival:
    """What a batch of retries did; `last` is the last id looked at, None when there were no more."""

    revived: int
    kept: int
    last: UUID | None


@dataclass(frozen=True, slots=True)
class Purge:
    """How many jobs a batch forgot; `last` is the last id looked at, None when there were no more."""

    forgotten: int
    last: UUID | None


def lost(ids: Sequence[UUID]) -> Statement[list[tuple[Claim, Settlement]]]:
    """Of jobs that died because their workers vanished, the last claims and what was written. O(jobs log n)."""
    return Statement(query("buried_lost"), (list(ids),), lambda rows: [_lost(*row) for row in rows])


def _lost(*row: Any) -> tuple[Claim, Settlement]:
    claim, (reason, error_type, error, cause) = Claim(*row[:14]), row[14:]
    return claim, Settlement(claim.id, claim.claim, Move.END, "lost", 0.0, reason, error_type, error, cause=cause)


def retry_batch(queue: str | None, target: str | None, after: UUID | None, limit: int) -> Statement[Revival]:
    """dead -> ready for at most `limit` jobs behind `after`; those whose unique key is taken stay dead.

    Looks at 20 times as many: where few are meant, a batch may revive none, and there are more.
    """
    sql = "select revived, kept, last from pgqueue.retry_dead($1::text, $2::text, $3::uuid, $4::int)"
    return Statement(sql, (queue, target, after, limit), lambda rows: Revival(*rows[0]))


def purge_batch(
    queue: str | None, target: str | None, before: datetime, after: UUID | None, limit: int
) -> Statement[Purge]:
    """Forget at most `limit` jobs behind `after` that died before a moment. Looks at 20 times as many."""
    sql = "select forgotten, last from pgqueue.forget_dead($1::text, $2::text, $3::timestamptz, $4::uuid, $5::int)"
    return Statement(sql, (queue, target, before, after, limit), lambda rows: Purge(*rows[0]))


def count(queue: str | None, target: str | None, before: datetime, limit: int) -> Statement[tuple[int, bool]]:
    """How many of the oldest `limit` dead jobs a purge would forget, and whether there are more than those."""
    return Statement(query("dead_count"), (queue, target, before, limit), lambda rows: (rows[0][0], rows[0][1]))


def moment_before(age: timedelta) -> Statement[datetime]:
    """The moment that lies `age` back, by the database's clock."""
    return Statement("select clock_timestamp() - $1::interval", (age,), only_value)
