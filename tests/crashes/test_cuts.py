"""The worker's connections are cut, one kind or all of them, and the server restarts: the work goes on by itself."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from pgqueue.embedded import Server
from pgqueue.embedded.cluster import StopMode
from pgqueue.job import NewJob
from pgqueue.migrate import migrate
from tests.waiting import wait_until
from tests.worker.running import ERRANDS, ONE_KIND, Desk, StartProcess

ROLES = ("claimer", "listener", "heartbeat", "job")


@contextmanager
def cutting(dsn: str, role: str, every: float = 0.1) -> Iterator[None]:
    """Terminate the connections of one role, again and again, while the block runs."""
    done = threading.Event()

    def cut() -> None:
        with psycopg.connect(dsn, autocommit=True) as conn:
            while not done.wait(every):
                conn.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where application_name like %s and datname = current_database()",
                    [f"pgqueue {role}"],
                )

    thread = threading.Thread(target=cut)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


@pytest.mark.parametrize("role", [*ROLES, "%"])
def test_cut_connections_cost_no_job(spawn: StartProcess, desk: Desk, dsn: str, role: str) -> None:
    worker = spawn(executor="thread", concurrency=4)
    # Those that are cut in the middle are failed attempts of their own; a job may need several.
    new = [NewJob(f"{ERRANDS}:effect", [value, 0.005]) for value in range(250)]
    new += [NewJob(f"{ERRANDS}:work", [0.005]) for _ in range(250)]
    ids = desk.send_many(new)
    with cutting(dsn, role):
        wait_until(lambda: desk.one("select count(*) < 40 from pgqueue.jobs"), 30)
    desk.await_all_ended()
    desk.check_books(ids, succeeded=500)
    desk.check_effects(range(250))
    worker.signal(signal.SIGTERM)
    assert worker.wait() == 0
    assert desk.workers() == []


@pytest.mark.parametrize("mode", ["fast", "immediate"])
@pytest.mark.parametrize("kind", ONE_KIND)
def test_a_worker_outlives_a_restart_of_the_database(
    spawn: StartProcess, private_server: Server, kind: str, mode: StopMode
) -> None:
    dsn = private_server.dsn(tcp=True)
    migrate(dsn)
    with psycopg.connect(dsn, autocommit=True) as conn:
        desk = Desk(conn)
        desk.make_effects()
        name = "effect_async" if kind == "async" else "effect"
        new = [NewJob(f"{ERRANDS}:{name}", [value, 0.02]) for value in range(150)]
        ids = desk.send_many(new)
        worker = spawn(dsn, executor=kind, concurrency=4, poll=1)
        wait_until(lambda: desk.one("select count(*) > 20 from effects"))
    private_server.restart(mode)
    with psycopg.connect(dsn, autocommit=True) as conn:
        desk = Desk(conn)
        desk.await_all_ended()
        desk.check_books(ids, succeeded=150)
        desk.check_effects(range(150))
        # It hears again, too.
        began = time.monotonic()
        desk.await_state(desk.send("work"), timeout=5)
        assert time.monotonic() - began < 5
        worker.signal(signal.SIGTERM)
        assert worker.wait() == 0
        assert desk.workers() == []
    assert {line["role"] for line in worker.heard("database back")} == {"claimer", "heartbeat", "listener"}


def test_outcomes_wait_for_the_database(spawn: StartProcess, private_server: Server) -> None:
    dsn = private_server.dsn(tcp=True)
    migrate(dsn)
    with psycopg.connect(dsn, autocommit=True) as conn:
        desk = Desk(conn)
        worker = spawn(dsn, executor="thread", concurrency=2)
        job_id = desk.send("work", 1.0)
        desk.await_state(job_id, "running")
    private_server.stop("fast")
    # The job ends while there is no database.
    began = time.monotonic()
    wait_until(lambda: time.monotonic() > began + 1.5)
    private_server.start()
    with psycopg.connect(dsn, autocommit=True) as conn:
        desk = Desk(conn)
        assert desk.await_state(job_id).state == "succeeded"
        assert desk.outcomes(job_id) == ["succeeded"]
        worker.signal(signal.SIGTERM)
        assert worker.wait() == 0


@pytest.mark.parametrize("kind", ONE_KIND)
def test_a_worker_outlives_an_outage_longer_than_its_lease(
    spawn: StartProcess, private_server: Server, kind: str
) -> None:
    dsn = private_server.dsn(tcp=True)
    migrate(dsn)
    with psycopg.connect(dsn, autocommit=True) as conn:
        desk = Desk(conn)
        worker = spawn(dsn, executor=kind, concurrency=2, lease=1.5, poll=0.5)
        job_id = desk.send("work", 4.0)
        desk.await_state(job_id, "running")
        before = desk.one("select id from pgqueue.workers")
    private_server.stop("fast")
    wait_until(lambda: worker.heard("trouble"), timeout=10)
    private_server.start()
    with psycopg.connect(dsn, autocommit=True) as conn:
        desk = Desk(conn)
        assert desk.await_state(desk.send("work"), timeout=20).state == "succeeded"
        assert desk.await_state(job_id, timeout=20).state == "succeeded"
        assert desk.one("select id from pgqueue.workers") != before
        worker.signal(signal.SIGTERM)
        assert worker.wait() == 0
        assert desk.workers() == []
