"""Batch tasks for tests: each job says by its arguments what is to become of it, or of the whole call."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from pgqueue import Batch, BatchItem, Bury, Snooze
from pgqueue.context import current_job
from pgqueue.errors import UsageError
from pgqueue.retry import Fixed, RetryPolicy
from pgqueue.tasks import task

SOON = Fixed(0.02)


@dataclass(frozen=True)
class Ask:
    """What one job asks for: `how` it is to end, and where the call is to note whom it was given."""

    how: str = "succeed"
    log: str = ""
    value: Any = None


def _did(jobs: Iterable[BatchItem[Ask]]) -> dict[UUID, object]:
    said: dict[UUID, object] = {}
    for job in jobs:
        match job.args.how:
            case "succeed":
                if job.args.value is not None:
                    said[job.id] = job.args.value
            case "fail":
                said[job.id] = ValueError(f"job {job.args.value} fails")
            case "bury":
                said[job.id] = Bury("for a human")
            case "snooze":
                said[job.id] = Snooze(7)
            case "fail all":
                raise ValueError("one of them has brought the call down")
            case "bury all":
                raise Bury("all of them")
            case "exit":
                os._exit(3)
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "sleep":
                # In steps: a thread is told at its next line.
                until = time.monotonic() + job.args.value
                while time.monotonic() < until:
                    time.sleep(0.01)
            case "lines":
                job.log("line of %s", job.args.value)
    return said


def note(jobs: Batch[Ask]) -> None:
    """Write down who came together."""
    if log := jobs[0].args.log:
        with Path(log).open("a") as stream:
            stream.write(json.dumps([str(job.id) for job in jobs]) + "\n")


@task(batch=100, batch_wait=0.2, retry=SOON)
def do(jobs: Batch[Ask]) -> Mapping[UUID, object]:
    note(jobs)
    return _did(jobs)


@task(batch=10, batch_wait=0.1, retry=SOON)
async def do_async(jobs: Batch[Ask]) -> Mapping[UUID, object]:
    note(jobs)
    for job in jobs:
        if job.args.how == "sleep":
            await asyncio.sleep(job.args.value)
    return _did([job for job in jobs if job.args.how != "sleep"])


@task(batch=5, batch_wait=30, retry=SOON)
def patient(jobs: Batch[Ask]) -> None:
    note(jobs)


class Never(RetryPolicy):
    def retries(self, error: BaseException) -> bool:
        return False

    def wait(self, failures: int) -> float:
        return 0.0


@task(batch=10, batch_wait=0.1, retry=Never(), on_timeout="bury", soft_timeout=0.3, timeout=20)
def strict(jobs: Batch[Ask]) -> Mapping[UUID, object]:
    return _did(jobs)


@task(batch=10)
def watch_cancelled(jobs: Batch[Ask]) -> Mapping[UUID, object]:
    """Go on until one of them was cancelled; answers which."""
    deadline = time.monotonic() + 20
    while not any(job.cancelled for job in jobs) and time.monotonic() < deadline:
        time.sleep(0.01)
    # A moment in which whoever means to end the call for one of them would.
    time.sleep(0.3)
    return {job.id: job.cancelled for job in jobs}


@task(batch=10)
async def watch_cancelled_async(jobs: Batch[Ask]) -> Mapping[UUID, object]:
    while not any(job.cancelled for job in jobs):
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.3)
    return {job.id: job.cancelled for job in jobs}


@task(batch=100, batch_wait=0.05, transactional=True, retry=SOON)
def write(conn: psycopg.Connection[Any], jobs: Batch[Ask]) -> Mapping[UUID, object]:
    note(jobs)
    conn.cursor().executemany("insert into effects values (%s)", [(job.args.value or 0,) for job in jobs])
    return {job: said for job, said in _did(jobs).items() if isinstance(said, Exception)}


@task(batch=3)
def answer_nonsense(jobs: Batch[Ask]) -> Any:
    return [job.id for job in jobs]


@task(batch=3)
def answer_strange(jobs: Batch[Ask]) -> Any:
    return {"nobody": 1}


@task(batch=3, store_result=True)
def untyped(jobs: Batch[Any]) -> Mapping[UUID, object]:
    try:
        current_job()
        told = "a job"
    except UsageError:
        told = "refused"
    return {job.id: [job.args, job.attempt, dict(job.labels), told] for job in jobs}


@task(batch=3, store_result=True)
def add(jobs: Batch[tuple[int, int]]) -> Mapping[UUID, object]:
    return {job.id: sum(job.args) for job in jobs}


@dataclass
class Login:
    user: str
    token: str


@task(batch=3, sensitive=["token"], retry=SOON)
def log_in(jobs: Batch[Login]) -> None:
    for job in jobs:
        job.log("token of another: %s", jobs[0].args.token)
    raise ValueError(f"no such tokens: {[job.args.token for job in jobs]}")
