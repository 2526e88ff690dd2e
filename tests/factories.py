"""Short ways to a job, a worker or a claim in the state that a test needs; each runs on the connection it is given."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg

from pgqueue.ids import new_job_id
from pgqueue.job import Claim, JobState, NewJob
from pgqueue.outcome import Move, Settlement
from pgqueue.record import Job
from pgqueue.store import enqueueing, execute, jobs, keyed, reading, workers
from pgqueue.store.jobs import Slot, Step

Conn = psycopg.Connection[Any]

TARGET = "shop.tasks:send"
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_ID = UUID(int=0)
HOUR = 3600.0
LEASE = timedelta(seconds=30)


def worker_id() -> int:
    """A worker id that no other has."""
    return random.getrandbits(62) + 1


def enlist(conn: Conn, *, lease: float = 30, queues: Sequence[str] | None = None, concurrency: int = 1) -> int:
    """A new worker with a lease of some seconds."""
    worker = worker_id()
    execute(conn, workers.enlist(worker, "here", 1, queues, "thread", concurrency, timedelta(seconds=lease)))
    return worker


def enqueue(conn: Conn, args: Any = None, **options: Any) -> UUID:
    """A job, by default ready."""
    return execute(conn, enqueueing.enqueue(NewJob(TARGET, args, **options))).id


def fill(conn: Conn, count: int, **options: Any) -> list[UUID]:
    """Many jobs alike, in order of id."""
    return sorted(execute(conn, enqueueing.enqueue_many([NewJob(TARGET, **options)] * count)))


def slots(*queues: str, after: datetime = BEGINNING, after_id: UUID = FIRST_ID) -> list[Slot]:
    """The slots of these queues, `default` if none is named, at all priorities."""
    return [Slot(queue, priority, after, after_id) for priority in range(9, -1, -1) for queue in queues or ["default"]]


def step(conn: Conn, worker: int, done: Sequence[Claim], limit: int, *queues: str) -> Step:
    """Settle successes and claim the next, as a worker does."""
    successes = [success(claim) for claim in done]
    return execute(conn, jobs.step(worker, successes, slots(*queues), timedelta(0), limit, epoch(conn, worker)))


def step_as_before(conn: Conn, worker: int, limit: int) -> list[Any]:
    """Take up to `limit` due jobs of `default`, as a worker of the last release does."""
    sql = """
    select * from pgqueue.step(%s, '{}', '{}', '{}', '{}', '{default}', '{5}', '{2020-01-01}',
      '{00000000-0000-0000-0000-000000000000}', '0', %s, 0)
    """
    return conn.execute(sql, [worker, limit]).fetchall()


def epoch(conn: Conn, worker: int) -> int:
    """The worker's epoch; 0 if it has no row."""
    row = conn.execute("select epoch from pgqueue.workers where id = %s", [worker]).fetchone()
    return 0 if row is None else int(row[0])


def disown(conn: Conn, worker: int, known: Sequence[Claim]) -> int:
    """Give back what the worker does not know, in its next epoch."""
    return execute(conn, jobs.disown(worker, known, epoch(conn, worker) + 1))


def claim(conn: Conn, worker: int, limit: int = 1, *queues: str) -> list[Claim]:
    """Take up to `limit` due jobs."""
    return step(conn, worker, [], limit, *queues).claims


def claim_one(conn: Conn, args: Any = None, *, worker: int | None = None, **options: Any) -> Claim:
    """A running job: enqueued and claimed, by a new worker if none is named."""
    enqueue(conn, args, **options)
    worker = worker or enlist(conn)
    if "limit_key" in options:
        look = keyed.Look([options.get("queue", "default")])
        found = execute(conn, keyed.claim(worker, epoch(conn, worker), [], 1, free=1, visits=100, look=look))
        (taken,) = found.step.claims
    else:
        (taken,) = claim(conn, worker, 1, options.get("queue", "default"))
    return taken


def success(claim: Claim, result: str | None = None) -> Settlement:
    return Settlement(claim.id, claim.claim, Move.SUCCEED, "succeeded", result=result)


def failure(claim: Claim, delay: float | None = 0.0, outcome: str = "failed", reason: str = "exhausted") -> Settlement:
    """A failed attempt: retried after `delay`, or dead for `reason` if it is None."""
    error = ("builtins.OSError", "no route", "Traceback ...")
    if delay is None:
        return Settlement(claim.id, claim.claim, Move.END, outcome, 0.0, reason, *error)
    return Settlement(claim.id, claim.claim, Move.RETRY, outcome, delay, None, *error)


def settle(conn: Conn, *claims: Claim) -> frozenset[UUID]:
    """Record success; answers what was late."""
    return step(conn, claims[0].worker, claims, 0).late


def fail(conn: Conn, claim: Claim, delay: float | None = 0.0, **details: str) -> frozenset[UUID]:
    """Record failure; answers what was late."""
    return execute(conn, jobs.fail(claim.worker, [failure(claim, delay, **details)]))


def fall(conn: Conn, claim: Claim, to: str = "human", **details: str) -> frozenset[UUID]:
    """Record failure, after which other code follows, or a human; answers what was late."""
    fallen = failure(claim, **details)._replace(move=Move.FALL_BACK, fallback=to)
    return execute(conn, jobs.fall_back(claim.worker, [fallen]))


def release(conn: Conn, claim: Claim, delay: float = 0.0, *, started: bool = True) -> frozenset[UUID]:
    """Give the attempt back; answers what was late."""
    given_back = Settlement(claim.id, claim.claim, Move.RELEASE, "released", delay=delay, started=started)
    return execute(conn, jobs.release(claim.worker, [given_back]))


def expire(conn: Conn, *workers: int) -> None:
    """Let the leases of workers end now."""
    conn.execute("update pgqueue.workers set expires_at = clock_timestamp() where id = any (%s)", [list(workers)])


def reap(conn: Conn) -> dict[int, int]:
    """Take back the jobs of vanished workers: how many of each."""
    return execute(conn, workers.reap()).jobs


def lose(conn: Conn, claim: Claim) -> None:
    """Let the lease of a claim end, and the reaper pass."""
    expire(conn, claim.worker)
    reap(conn)


def make(conn: Conn, state: JobState, **options: Any) -> UUID:
    """A job in a given state; needs the queue `default` to have no other due job."""
    match state:
        case JobState.SCHEDULED:
            return enqueue(conn, delay=HOUR, **options)
        case JobState.READY:
            return enqueue(conn, **options)
        case JobState.WAITING:
            return wait(conn, **options)
        case JobState.CANCELLED:
            job = enqueue(conn, delay=HOUR, **options)
            execute(conn, jobs.cancel(job))
            return job
    taken = claim_one(conn, **options)
    match state:
        case JobState.RETRYING:
            fail(conn, taken, HOUR)
        case JobState.MANUAL:
            fall(conn, taken)
        case JobState.SUCCEEDED:
            settle(conn, taken)
        case JobState.DEAD:
            fail(conn, taken, None)
    return taken.id


def wait(conn: Conn, args: Any = None, **options: Any) -> UUID:
    """A job of a workflow that waits at a gate which nothing opens; it has no unique key."""
    workflow, job_id = new_job_id(), options.pop("job_id", None) or new_job_id()
    options.pop("unique_key", None)
    said = {"id": str(job_id), "gate": 1, "node": 1, "target": TARGET, "args": {} if args is None else args, **options}
    text = json.dumps({"gates": [{"gate": 1, "unmet": 1}], "jobs": [said]})
    conn.execute("select pgqueue.begin_workflow(%s, 'waits', null, null, null, null)", [workflow])
    conn.execute("select pgqueue.write_members(%s, %s)", [workflow, text])
    return job_id


def job(conn: Conn, job_id: UUID) -> Job:
    """The job as the view shows it."""
    found = execute(conn, reading.get(job_id))
    assert found is not None, f"no job {job_id}"
    return found


def state(conn: Conn, job_id: UUID) -> JobState | None:
    """The job's state, None if there is no such job."""
    found = execute(conn, reading.get(job_id))
    return None if found is None else found.state


def outcomes(conn: Conn, job_id: UUID) -> list[str]:
    """How the job's attempts ended, oldest first."""
    return [attempt.outcome for attempt in execute(conn, reading.attempts(job_id))]


def count(conn: Conn, table: str) -> int:
    """How many rows a table of pgqueue has."""
    row = conn.execute(f"select count(*) from pgqueue.{table}").fetchone()
    return int(row[0]) if row else 0
