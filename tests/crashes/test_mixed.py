"""Everything at once: jobs of mixed length while workers are killed, put to sleep, and the database restarts."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable

import psycopg
import pytest

from pgqueue.embedded import Server
from pgqueue.job import NewJob
from pgqueue.migrate import migrate
from tests.waiting import wait_until
from tests.worker.running import ERRANDS, KINDS, ONE_KIND, Desk, StartProcess, WorkerProcess, await_end, wake

LEASE = 2


def mixed_jobs(kind: str, values: range) -> list[NewJob]:
    """Half of them transactional, one in ten fails at first; from nothing to a fifth of a second long."""
    suffix = "_async" if kind == "async" else ""
    new = []
    for value in values:
        seconds = random.choice([0, 0.002, 0.01, 0.03, 0.1, 0.2])
        if value % 2:
            new.append(NewJob(f"{ERRANDS}:effect{suffix}", [value, seconds]))
        elif value % 10:
            new.append(NewJob(f"{ERRANDS}:work{suffix}", [seconds]))
        else:
            new.append(NewJob(f"{ERRANDS}:fail_until{suffix}", [2]))
    return new


def run_mixed(spawn: StartProcess, server: Server, kind: str, count: int) -> None:
    dsn = server.dsn(tcp=True)
    migrate(dsn)

    def start() -> WorkerProcess:
        return spawn(dsn, executor=kind, concurrency=4, lease=LEASE, poll=0.5)

    with psycopg.connect(dsn, autocommit=True) as conn:
        desk = Desk(conn)
        desk.make_effects()
        third = count // 3
        ids = desk.send_many(mixed_jobs(kind, range(third)))
        first, second = start(), start()
        await_progress(desk, third // 3)
        children = first.children
        if second.children:
            os.kill(min(second.children), signal.SIGKILL)
        first.process.kill()
        await_end({first.pid, *children})
        third_worker = start()

        ids += desk.send_many(mixed_jobs(kind, range(third, 2 * third)))
        sleeper = desk.one("select id from pgqueue.workers where pid = %s", second.pid)
        asleep = sleeping_with_a_job(desk, second)
        # Not until all its jobs are taken back: one that is about to commit keeps its own while it sleeps.
        wait_until(
            lambda: desk.one(
                "select count(*) > 0 from pgqueue.attempts where outcome = 'lost' and worker = %s", sleeper
            )
        )
        wake(asleep)
        assert second.wait() == 75
        await_end(asleep)
        fourth = start()

        ids += desk.send_many(mixed_jobs(kind, range(2 * third, count)))
        await_progress(desk, 2 * third + third // 3)
    server.restart("fast")
    with psycopg.connect(dsn, autocommit=True) as conn:
        desk = Desk(conn)
        survivors = [third_worker, fourth]
        supervise(survivors, start, lambda: bool(desk.one("select count(*) = 0 from pgqueue.jobs")), 30 + count / 50)
        desk.check_books(ids, succeeded=count)
        desk.check_effects(range(1, count, 2))
        outcomes = dict(conn.execute("select outcome, count(*) from pgqueue.attempts group by 1").fetchall())
        assert outcomes["succeeded"] == count
        assert outcomes["late"] >= 1
        wait_until(lambda: desk.one("select count(*) = %s from pgqueue.workers", len(survivors)), 10, "the reaper")
        for worker in survivors:
            worker.signal(signal.SIGTERM)
        assert [worker.wait() for worker in survivors] == [0] * len(survivors)
        assert desk.workers() == []


def await_progress(desk: Desk, ended: int) -> None:
    wait_until(lambda: desk.one("select count(*) >= %s from pgqueue.job where finished_at is not null", ended), 120)


def sleeping_with_a_job(desk: Desk, worker: WorkerProcess) -> list[int]:
    """Stop a worker, and its children, while it certainly has jobs that hold no lock."""
    pids = [worker.pid, *worker.children]
    theirs = (
        "select count(*) > 1 from pgqueue.jobs j join pgqueue.workers w on w.id = j.worker where w.pid = %s"
        " and j.target not like '%%effect%%'"
    )

    def caught() -> bool:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        if desk.one(theirs, worker.pid):
            return True
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
        return False

    wait_until(caught)
    return pids


def supervise(
    workers: list[WorkerProcess], start: Callable[[], WorkerProcess], done: Callable[[], bool], timeout: float
) -> None:
    """Wait until the work is done; a worker that retired is started again, as a supervisor would."""

    def looked_after() -> bool:
        for worker in tuple(workers):
            if worker.process.poll() is not None:
                assert worker.process.returncode == 75
                workers.remove(worker)
                workers.append(start())
        return done()

    wait_until(looked_after, timeout, "all jobs at their end")


@pytest.mark.parametrize("kind", ONE_KIND)
def test_every_job_ends_once_whatever_happens(spawn: StartProcess, private_server: Server, kind: str) -> None:
    run_mixed(spawn, private_server, kind, 300)


@pytest.mark.soak
@pytest.mark.parametrize("kind", KINDS)
def test_every_one_of_5000_jobs_ends_once_whatever_happens(
    spawn: StartProcess, private_server: Server, kind: str
) -> None:
    run_mixed(spawn, private_server, kind, 5000)
