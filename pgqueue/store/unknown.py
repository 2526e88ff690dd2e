"""Targets that workers know, and what becomes of jobs whose target a worker does not know."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from pgqueue import globs
from pgqueue.outcome import Settlement
from pgqueue.store.statement import Statement, only_value, query

# So many jobs a recall makes due at most.
RECALL_LIMIT = 1_000
# Workers that know and serve the same count as one here.
MOST_LISTED = 200


@dataclass(frozen=True, slots=True)
class Recalled:
    """How many parked jobs fell due; `go_on` is behind which target to look next, None at the end."""

    due: int
    go_on: str | None


def declare_targets(worker: int, names: Collection[str], keep: timedelta) -> Statement[bool]:
    """What a worker can run: targets, and modules whose functions may be called. False if it has no row any more.

    A job that no live worker knows may wait as long as `keep`.
    """
    known = sorted(names)
    digest = hashlib.sha256("\n".join(known).encode(errors="surrogatepass")).hexdigest()[:32]
    sql = "select pgqueue.declare_targets($1::bigint, $2::text, $3::text[], $4::interval)"
    return Statement(sql, (worker, digest, known, keep), only_value)


@dataclass(frozen=True, slots=True)
class LiveTargets:
    """What so many live workers know and serve; `queues` None is all of them, `names` None that they do not tell."""

    queues: Sequence[str] | None
    names: Sequence[str] | None
    workers: int

    def names_it(self, target: str) -> bool:
        """Whether they can run it for certain: they have named it, or do not tell what they know."""
        return self.names is None or target in self.names

    def knows(self, target: str) -> bool:
        """Whether they can run it, as far as is known: by its name, or as a function of one of their modules."""
        if self.names_it(target) or self.names is None:
            return True
        module = target.partition(":")[0]
        return any(module == app or module.startswith(f"{app}.") for app in self.names if ":" not in app)

    def serves(self, queue: str) -> bool:
        """Whether they claim from it."""
        return globs.serves(self.queues, queue)


def live_targets() -> Statement[list[LiveTargets]]:
    """What live workers know and serve. Reads the workers."""
    return Statement(query("live_targets"), (MOST_LISTED,), lambda rows: [LiveTargets(*row) for row in rows])


def park(worker: int, unknown: Sequence[Settlement]) -> Statement[frozenset[UUID]]:
    """running -> ready | dead for jobs whose target this worker does not know; answers the ids that were late.

    They stay where they are if another live worker may know them, and are parked else. O(batch log n).
    """
    params = (
        worker,
        [settlement.id for settlement in unknown],
        [settlement.claim for settlement in unknown],
        [settlement.error for settlement in unknown],
    )
    sql = "select pgqueue.park($1::bigint, $2::uuid[], $3::int[], $4::text[])"
    return Statement(sql, params, lambda rows: frozenset(rows[0][0] or ()))


def recall(worker: int, *, forget: bool, after: str = "") -> Statement[Recalled]:
    """Make parked jobs due again that this worker knows, at most RECALL_LIMIT; `forget` what it did not know before."""
    sql = "select due, go_on from pgqueue.recall($1::bigint, $2::boolean, $3::text, $4::int)"
    return Statement(sql, (worker, forget, after, RECALL_LIMIT), lambda rows: Recalled(*rows[0]))


def count_parked(limit: int) -> Statement[int]:
    """How many jobs wait for a worker that knows their target, counted up to a limit. Walks parked_pkey, jobs_pkey."""
    return Statement(_COUNT_PARKED, (limit,), only_value)


_COUNT_PARKED = """
select count(*) from (
  select from (select parked.job_id, parked.claim from pgqueue.parked as parked limit $1::int) as parked
  join pgqueue.jobs as job on job.id = parked.job_id and job.claim = parked.claim and job.worker is null) as waiting
"""


def parked_since(job_id: UUID) -> Statement[datetime | None]:
    """Since when no live worker has known a job's target; None if it does not wait for one. Walks parked_pkey."""
    return Statement(_PARKED_SINCE, (job_id,), lambda rows: rows[0][0] if rows else None)


_PARKED_SINCE = """
select parked.since
from pgqueue.parked as parked
join pgqueue.jobs as job on job.id = parked.job_id and job.claim = parked.claim
where parked.job_id = $1::uuid and job.worker is null
"""
