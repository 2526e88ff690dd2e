"""A trial: a queue of its own, jobs in it, a worker that serves it, and somebody else who takes jobs over."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import psycopg

from pgqueue import client
from pgqueue.job import Claim, JobState
from pgqueue.outcome import Move, Settlement
from pgqueue.record import Job
from pgqueue.store import execute, jobs, workers
from pgqueue.verify.guard import Guard
from pgqueue.verify.protocol.program import Program, variables

T = TypeVar("T")
# The lease that the worker is to take, seconds: short, so that it runs out soon.
LEASE = 3.0
# Seconds in which a worker is there, and in which it has done what takes no time.
STARTS, ACTS = 20.0, 15.0
ECHO, FAIL, SLEEP, UNKNOWN = (f"conformance:{name}" for name in ("echo", "fail", "sleep", "unknown"))


class Broken(Exception):
    """What was seen in place of what was promised."""


class Trial:
    """One check's. The worker is started by start(), or not at all."""

    def __init__(
        self, conn: psycopg.Connection[Any], dsn: str, words: list[str], queue: str, log: Path, guard: Guard
    ) -> None:
        self.conn = conn
        self.queue = queue
        self._dsn = dsn
        self._words = words
        self._log = log
        self._guard = guard
        self._program: Program | None = None
        self._before = self.worker_ids()

    @property
    def program(self) -> Program:
        """The worker's process."""
        assert self._program is not None
        return self._program

    @property
    def printed(self) -> str:
        """The end of what the worker printed, if it was started."""
        return "" if self._program is None else self._program.printed

    def start(self) -> int:
        """Start the worker; answers its id once it has enlisted."""
        told = {"PGQUEUE_QUEUES": self.queue, "PGQUEUE_LEASE": f"{LEASE:g}"}
        self._program = Program(self._words, variables(self._dsn) | told, self._log, self._guard)
        self.until(lambda: self._new() or self.program.code is not None, STARTS, "no worker has enlisted")
        if not (enlisted := self._new()):
            raise Broken(
                f"the worker has ended with {self.program.code}, and had not enlisted; CMD is to go on running"
            )
        return min(enlisted)

    def send(self, target: str, *args: Any, **options: Any) -> UUID:
        """Enqueue a job."""
        return client.enqueue(self.conn, target, list(args), queue=self.queue, **options).id

    def job(self, job_id: UUID) -> Job:
        """How it is."""
        return client.get_job(self.conn, job_id)

    def outcomes(self, job_id: UUID) -> list[str]:
        """Of its ended attempts, oldest first."""
        return [str(each.outcome) for each in client.attempts(self.conn, job_id)]

    def until_state(self, job_id: UUID, *wanted: str, within: float = ACTS) -> Job:
        """The job, once it is in one of these states."""
        self.until(
            lambda: self.job(job_id).state in wanted,
            within,
            lambda: f"a job of {self.job(job_id).target} is {self.job(job_id).state}, not {' or '.join(wanted)}",
        )
        return self.job(job_id)

    def until_attempts(self, job_id: UUID, number: int) -> None:
        """Until so many attempts have ended."""
        self.until(lambda: len(self.outcomes(job_id)) >= number, ACTS, f"attempt {number} has not ended")

    def until(self, is_so: Callable[[], T], within: float, else_: str | Callable[[], str]) -> T:
        """What `is_so` answers once that is true. Raises Broken, with what is the case, after so many seconds."""
        deadline = time.monotonic() + within
        while not (found := is_so()):
            if time.monotonic() > deadline:
                said = else_ if isinstance(else_, str) else else_()
                ended = "" if self.program.code is None else f"; the worker has ended with {self.program.code}"
                raise Broken(f"{said} after {within:g} s{ended}")
            time.sleep(0.02)
        return found

    def during(self, seconds: float, holds: Callable[[], bool], else_: str) -> None:
        """Raise Broken if it does not hold all the time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not holds():
                raise Broken(else_)
            time.sleep(0.05)

    def worker_ids(self) -> set[int]:
        """Of all that have a row."""
        return {row.id for row in execute(self.conn, workers.rows())}

    def is_alive(self, worker: int) -> bool:
        """Whether its lease stands."""
        return any(row.alive for row in execute(self.conn, workers.rows()) if row.id == worker)

    def freeze_past_lease(self, worker: int) -> None:
        """Stop the worker, and take its jobs back."""
        self.program.freeze()
        self.until(lambda: not self.is_alive(worker), LEASE + ACTS, "the lease of a stopped worker stands")
        execute(self.conn, workers.reap())

    def take_over(self, job_id: UUID) -> Claim:
        """Claim it as another worker does."""
        other = 1 + secrets.randbelow(2**62)
        execute(self.conn, workers.enlist(other, "verify", 0, [], "verify", 1, timedelta(minutes=10)))
        client.retry(self.conn, job_id)
        claim = execute(self.conn, jobs.claim_one(other, job_id))
        if claim is None:
            raise Broken(f"a job that was taken back is {self.job(job_id).state}, and cannot be claimed")
        return claim

    def settle(self, claim: Claim) -> None:
        """What was taken over has succeeded."""
        done = Settlement(claim.id, claim.claim, Move.SUCCEED, "succeeded")
        execute(self.conn, jobs.step(claim.worker, [done], [], timedelta(), 0))
        execute(self.conn, workers.discharge(claim.worker, clean=True))

    def was_claimed(self, job_id: UUID) -> bool:
        """Whether anybody ever had it, or it has ended."""
        row = self.conn.execute("select claim from pgqueue.jobs where id = %s", [job_id]).fetchone()
        return row is None or row[0] > 0

    def runs(self, job_id: UUID) -> bool:
        """Whether it does."""
        return self.job(job_id).state is JobState.RUNNING

    def end(self) -> None:
        """End the worker, and leave nothing to others."""
        if self._program is not None:
            self._program.end()
        self.conn.execute("update pgqueue.workers set expires_at = now() where id <> all (%s)", [list(self._before)])
        execute(self.conn, workers.reap())
        self.conn.execute("select pgqueue.cancel(id) from pgqueue.jobs where queue = %s", [self.queue])

    def _new(self) -> set[int]:
        return self.worker_ids() - self._before
