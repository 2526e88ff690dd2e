"""Worker rows: the leases under which jobs are held, and the upkeep that any worker may do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pgqueue.store.statement import Statement, nothing, only_value, query


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """A worker as the database sees it; `alive` is whether its lease stands.

    `running` is how many jobs it holds; None where nobody counted.
    """

    id: int
    host: str
    pid: int
    queues: list[str] | None
    executor: str
    concurrency: int
    started_at: datetime
    expires_at: datetime
    alive: bool
    running: int | None


def enlist(
    worker: int,
    host: str,
    pid: int,
    queues: Sequence[str] | None,
    executor: str,
    concurrency: int,
    lease: timedelta,
) -> Statement[None]:
    """A worker begins: its lease."""
    params = (worker, host, pid, None if queues is None else list(queues), executor, concurrency, lease)
    sql = "select pgqueue.enlist($1::bigint, $2::text, $3::int, $4::text[], $5::text, $6::int, $7::interval)"
    return Statement(sql, params, nothing)


def beat(worker: int, lease: timedelta) -> Statement[bool]:
    """Extend the lease; False if it is gone. O(1)."""
    return Statement("select pgqueue.beat($1::bigint, $2::interval)", (worker, lease), only_value)


def discharge(worker: int, *, clean: bool) -> Statement[None]:
    """A worker ends; unless `clean`, the reaper looks after what it may still hold."""
    return Statement("select pgqueue.discharge($1::bigint, $2::boolean)", (worker, clean), nothing)


def reap() -> Statement[list[tuple[int, int]]]:
    """Take back the jobs of vanished workers; answers (worker, jobs) for each of them."""
    return Statement("select worker, jobs from pgqueue.reap()", (), lambda rows: [(row[0], row[1]) for row in rows])


def prune(history: timedelta, dead: timedelta) -> Statement[int]:
    """Drop a bounded batch of history past its keeping time; answers how many rows went."""
    return Statement("select pgqueue.prune($1::interval, $2::interval)", (history, dead), only_value)


def listing() -> Statement[list[WorkerRow]]:
    """All workers, oldest first. Counts their jobs, so it reads every row of `jobs`."""
    return Statement(query("workers"), (), lambda rows: [WorkerRow(*row) for row in rows])


def rows() -> Statement[list[WorkerRow]]:
    """As listing(), without counting their jobs: cheap, however many jobs there are."""
    return Statement(query("worker_rows"), (), lambda rows: [WorkerRow(*row) for row in rows])
