"""Worker rows: the leases under which jobs are held, and the upkeep that any worker may do."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from pgqueue.judge import Fallback
from pgqueue.store.direct import Rows
from pgqueue.store.statement import Statement, nothing, only_value, query


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """A worker as the database sees it; `alive` is whether its lease stands.

    `running` is how many jobs it holds, as many as it has slots; `ahead` those claimed ahead of a free one. None where
    nobody counted; `estimated` names what was not counted to the end.
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
    asked: str | None
    ahead: int | None = None
    estimated: tuple[str, ...] = ()


# How many jobs each worker holds, as far as they were found, and whether there may be more.
Held = tuple[Mapping[int, int], bool]


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What the database answers to a heartbeat.

    `alive` False means that the lease is gone. `asked` is None, "quiet", "stop" or "evict"; `cancelled` are the jobs
    that this worker runs and that are no longer wanted.
    """

    alive: bool
    asked: str | None
    cancelled: frozenset[UUID]


@dataclass(frozen=True, slots=True)
class Reaped:
    """What a look at the leases found: how many jobs each vanished worker gave back.

    `unfinished` is whether the search for their jobs goes on with the next call, which is then due at once. `dead` are
    those of the jobs that died of it, if that was asked.
    """

    jobs: dict[int, int]
    unfinished: bool
    dead: list[UUID]


def enlist(
    worker: int,
    host: str,
    pid: int,
    queues: Sequence[str] | None,
    executor: str,
    concurrency: int,
    lease: timedelta,
    at_most_once: Collection[str] = (),
) -> Statement[None]:
    """A worker begins: its lease, and the targets whose jobs are buried if it vanishes."""
    names = None if queues is None else list(queues)
    params = (worker, host, pid, names, executor, concurrency, lease, sorted(at_most_once))
    return Statement(_ENLIST, params, nothing)


_ENLIST = """
select pgqueue.enlist(
  $1::bigint, $2::text, $3::int, $4::text[], $5::text, $6::int, $7::interval, $8::text[])
"""


def declare(worker: int, targets: Collection[str]) -> Statement[bool]:
    """The worker has met further targets that may run at most once; False if it has no row any more. O(1)."""
    params = (worker, sorted(targets))
    return Statement("select pgqueue.declare($1::bigint, $2::text[])", params, only_value)


def declare_fallbacks(worker: int, lost: Mapping[str, Fallback]) -> Statement[None]:
    """The worker says which of its tasks fall back where an attempt is lost, and to what. O(1)."""
    said = json.dumps({target: [each.to, each.after] for target, each in lost.items()}) if lost else None
    return Statement("select pgqueue.declare_fallbacks($1::bigint, $2::json)", (worker, said), nothing)


def heartbeat(worker: int, lease: timedelta, report: str | None = None) -> Statement[Heartbeat]:
    """Extend the lease, say how the worker is, and hear what it is asked to do. O(1) while nothing is cancelled."""
    sql = "select alive, asked, cancelled from pgqueue.heartbeat($1::bigint, $2::interval, $3::text)"
    return Statement(
        sql, (worker, lease, report), lambda rows: Heartbeat(rows[0][0], rows[0][1], frozenset(rows[0][2]))
    )


def ask(worker: int, what: Literal["quiet", "resume", "stop", "evict"]) -> Statement[bool]:
    """Ask a worker for something; False if there is no such worker. Its heartbeat waits for the commit. O(1)."""
    return Statement("select pgqueue.ask($1::bigint, $2::text)", (worker, what), only_value)


def discharge(worker: int, *, clean: bool) -> Statement[None]:
    """A worker ends; unless `clean`, the reaper looks after what it may still hold."""
    return Statement("select pgqueue.discharge($1::bigint, $2::boolean)", (worker, clean), nothing)


def reap(pages: int = 16_384, *, telling: bool = False) -> Statement[Reaped]:
    """Take back the jobs of vanished workers, and tidy cancellations up. Reads at most so many pages of `jobs`.

    Which of them are dead by that is answered only if it is `telling`.
    """
    if telling:
        sql = "select worker, jobs, finished, dead from pgqueue.reap_telling($1::int, true)"
    else:
        sql = "select worker, jobs, finished, null from pgqueue.reap($1::int)"
    return Statement(sql, (pages,), _read_reaped)


def _read_reaped(rows: Rows) -> Reaped:
    dead = [job_id for row in rows for job_id in row[3] or ()]
    return Reaped({row[0]: row[1] for row in rows}, not all(row[2] for row in rows), dead)


def reap_orphans(pages: int = 32_768) -> Statement[int]:
    """Take back jobs whose worker has no row; answers how many. For every few minutes; reads at most so many pages."""
    return Statement("select pgqueue.reap_orphans($1::int)", (pages,), only_value)


def prune(history: timedelta, dead: timedelta, most: int = 5_000) -> Statement[int]:
    """Drop a batch of history past its keeping time; answers how many rows went. Looks at a few times `most` rows."""
    return Statement("select pgqueue.prune($1::interval, $2::interval, $3::int)", (history, dead, most), only_value)


def holders(most: int) -> Statement[Held]:
    """How many jobs each worker holds, and whether more may be held than were found; looks at about `most` jobs."""
    return Statement(query("holders"), (most,), _read_holders)


def _read_holders(rows: Rows) -> Held:
    return {row[0]: row[1] for row in rows if row[0] is not None}, any(row[2] for row in rows)


def rows() -> Statement[list[WorkerRow]]:
    """All workers, oldest first, without what they hold: cheap, however many jobs there are."""
    return Statement(query("worker_rows"), (), lambda rows: [WorkerRow(*row) for row in rows])


def holding(workers: Sequence[WorkerRow], held: Mapping[int, int], *, partial: bool) -> list[WorkerRow]:
    """The workers with the numbers of jobs that they hold."""
    return [_holding(worker, held.get(worker.id, 0), partial) for worker in workers]


def _holding(worker: WorkerRow, held: int, partial: bool) -> WorkerRow:
    running = min(held, max(worker.concurrency, 0))
    uncertain = ["ahead"] if held >= worker.concurrency else ["running", "ahead"]
    return replace(worker, running=running, ahead=held - running, estimated=tuple(uncertain) if partial else ())


def overdue(
    worker: int, queues: Sequence[str] | None, host: str, age: timedelta, passed_by: Sequence[UUID] = ()
) -> Statement[UUID | None]:
    """A job that a claim by this worker, of these queues and host, could have had for longer than `age`; None if none.

    But for those of `passed_by`. O(queues log n), but for dead entries at the head of each slot; for a worker that has
    nothing to do.
    """
    params = (None if queues is None else list(queues), host, age, worker, list(passed_by))
    return Statement(query("overdue"), params, lambda rows: rows[0][0] if rows else None)
