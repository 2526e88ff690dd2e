"""Dead jobs in bulk: revive or forget them, a bounded batch a statement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from pgqueue.store.statement import Statement, only_value, query


@dataclass(frozen=True, slots=True)
class Revival:
    """What a batch of retries did; `last` is the last id looked at, None when there were no more."""

    revived: int
    kept: int
    last: UUID | None


def retry_batch(queue: str | None, target: str | None, after: UUID | None, limit: int) -> Statement[Revival]:
    """dead -> ready for at most `limit` jobs behind `after`; those whose unique key is taken stay dead."""
    sql = "select revived, kept, last from pgqueue.retry_dead($1::text, $2::text, $3::uuid, $4::int)"
    return Statement(sql, (queue, target, after, limit), lambda rows: Revival(*rows[0]))


def purge_batch(queue: str | None, target: str | None, before: datetime, limit: int) -> Statement[int]:
    """Forget at most `limit` jobs that died before a moment; answers how many went."""
    sql = "select pgqueue.purge_dead($1::text, $2::text, $3::timestamptz, $4::int)"
    return Statement(sql, (queue, target, before, limit), only_value)


def count(queue: str | None, target: str | None, before: datetime, limit: int) -> Statement[int]:
    """How many jobs a purge would forget, counted no further than `limit`."""
    return Statement(query("dead_count"), (queue, target, before, limit), only_value)


def moment_before(age: timedelta) -> Statement[datetime]:
    """The moment that lies `age` back, by the database's clock."""
    return Statement("select clock_timestamp() - $1::interval", (age,), only_value)
