"""A worker that hostile jobs meet amid innocent ones. One worker serves all tests of a module."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pgqueue.job import NewJob
from pgqueue.record import Job
from pgqueue.store import execute, reading
from tests.worker.running import ERRANDS, Desk, ThreadedWorker, named

NASTY = "tests.hostile.nasty"
# Generous: the machine may be busy with other tests.
PATIENCE = 60.0


@dataclass(frozen=True)
class Arena:
    """A worker under one kind of executor, and the desk that sends it jobs."""

    desk: Desk
    worker: ThreadedWorker
    dsn: str
    kind: str

    def meet(self, target: str, *args: Any, **options: Any) -> Job:
        """Run a hostile job, once, amid innocent ones; answers it at its end.

        All of the innocent ones succeed at their first attempt, and so does one that comes after.
        """
        before, after = self._innocents(), self._innocents()
        hostile = NewJob(f"{NASTY}.{target}", list(args), **{"max_attempts": 1, "store_result": True, **options})
        sent = self.desk.send_many([*before, hostile, *after])
        ended = self.desk.await_state(sent[len(before)], timeout=PATIENCE)
        self.check_innocence([*sent[: len(before)], *sent[len(before) + 1 :]])
        self.check_health()
        return ended

    def check_innocence(self, ids: list[UUID]) -> None:
        """Each of these jobs succeeds, at its first attempt."""
        for job_id in ids:
            job = self.desk.await_state(job_id, timeout=PATIENCE)
            assert (job.state, job.attempt) == ("succeeded", 1), (job, self.desk.errors(job_id))

    def check_health(self) -> None:
        """The worker takes a new job, and does it at the first attempt."""
        self.check_innocence([self.desk.send("work")])
        assert self.worker.code is None, f"the worker has ended: {self.worker.code}"

    def result(self, target: str, *args: Any) -> Any:
        """What a job returns."""
        job_id = self.desk.send(f"{NASTY}.{target}", *args, store_result=True, max_attempts=1)
        job = self.desk.await_state(job_id, timeout=PATIENCE)
        assert job.state == "succeeded", self.desk.errors(job_id)
        return execute(self.desk.conn, reading.result(job_id))[1]

    def end_of(self, job: Job) -> tuple[str, str | None]:
        """A job's outcome and the type of its error, of its one attempt."""
        (attempt,) = execute(self.desk.conn, reading.attempts(job.id))
        return attempt.outcome, attempt.error_type

    def _innocents(self) -> list[NewJob]:
        return [NewJob(named("work")), NewJob(named("work_async")), NewJob(named("effect"), [0])]


APPS = [ERRANDS, *(f"{NASTY}.{kind}" for kind in ("ends", "errors", "leftovers", "sessions", "values"))]
