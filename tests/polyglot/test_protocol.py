"""The page's worker for Node runs as it stands; its driver is a stand-in, so that nothing needs to be installed."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import which

import pytest

import pgqueue
from pgqueue.embedded import Server
from pgqueue.store import execute, workers
from tests.polyglot.node import libpq_variables, write_worker
from tests.waiting import wait_until
from tests.worker.running import Desk

pytestmark = pytest.mark.skipif(which("node") is None, reason="no node here")
Work = Callable[[], subprocess.Popen[bytes]]


@pytest.fixture
def work(server: Server, database: str, tmp_path: Path) -> Iterator[Work]:
    """Start the page's worker."""
    write_worker(tmp_path)
    given = libpq_variables(server, database)
    started: list[subprocess.Popen[bytes]] = []

    def work() -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen(["node", "worker.js"], cwd=tmp_path, env=os.environ | given))
        return started[-1]

    yield work
    for each in started:
        each.kill()
        each.wait()


def test_the_worker_of_the_page_runs_jobs_to_each_of_their_ends(desk: Desk, work: Work) -> None:
    shrink, burn = "photos:shrink", "photos:burn"
    done = [desk.send(shrink, "ü.png", n, queue="photos", store_result=True, priority=n % 10) for n in range(25)]
    by_name = desk.send(shrink, queue="photos", store_result=True)
    dead = desk.send(burn, queue="photos", max_attempts=1)
    retried = desk.send(burn, queue="photos", max_attempts=3)
    elsewhere = desk.send(shrink, "b.png", 1)
    worker = work()
    for n, job in enumerate(done):
        assert desk.await_state(job).state == "succeeded"
        assert pgqueue.result(desk.conn, job) == f"ü.png at {n}"
    assert desk.await_state(by_name).state == "succeeded"
    assert desk.await_state(dead).state == "dead"
    assert desk.errors(dead) == ["Error: no such photo"]
    assert desk.await_state(retried, "retrying").attempt == 1
    assert desk.job(elsewhere).state == "ready"
    assert desk.workers()
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(10) == 0
    assert desk.workers() == []


def test_what_the_worker_held_when_it_was_killed_is_taken_back(desk: Desk, work: Work) -> None:
    worker = work()
    wait_until(desk.workers)
    worker.kill()
    worker.wait()
    job = desk.send("photos:shrink", "a.png", 1, queue="photos")
    desk.conn.execute("update pgqueue.workers set expires_at = now() - interval '1 second'")
    execute(desk.conn, workers.reap())
    assert desk.workers() == []
    work()
    assert desk.await_state(job).state == "succeeded"
