"""The database goes away as a whole, for long or again and again; it refuses writes, or has room for nobody."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgqueue.embedded import Server
from pgqueue.embedded.cluster import StopMode
from pgqueue.job import NewJob
from pgqueue.migrate import migrate
from tests.crashes.test_cuts import cutting
from tests.postgres import ROOT
from tests.waiting import wait_until
from tests.worker.running import ERRANDS, Desk, StartProcess, WorkerProcess

pytestmark = pytest.mark.faults
LOST = "database lost, trying again"


@pytest.fixture
def private_dsn(private_server: Server) -> str:
    """A database with the schema on a server that the test may restart."""
    dsn = private_server.dsn(tcp=True)
    migrate(dsn)
    with psycopg.connect(dsn, autocommit=True) as conn:
        Desk(conn).make_effects()
    return dsn


def enqueue_mixed(dsn: str, values: range) -> list[object]:
    with psycopg.connect(dsn, autocommit=True) as conn:
        new = [NewJob(f"{ERRANDS}:effect", [value, 0.02]) for value in values]
        new += [NewJob(f"{ERRANDS}:work", [0.02]) for _ in values]
        return list(Desk(conn).send_many(new))


def check_all(dsn: str, ids: list[object], values: range, timeout: float = 60) -> None:
    """Everything has ended once, and no attempt was charged for the database's absence."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        desk = Desk(conn)
        desk.await_all_ended(timeout)
        desk.check_books(ids, succeeded=len(ids))  # type: ignore[arg-type]
        desk.check_effects(values)
        desk.await_state(desk.send("work"))


def wait(seconds: float) -> None:
    began = time.monotonic()
    wait_until(lambda: time.monotonic() - began > seconds, seconds + 5)


def check_told_once(worker: WorkerProcess, at_most: int = 4) -> None:
    """A human can read it: a few lines a role, none of them an error."""
    told = Counter(line["role"] for line in worker.heard(LOST))
    assert told
    assert max(told.values()) <= at_most, told
    assert {line["level"] for line in worker.heard(LOST)} == {"warning"}
    assert not [line for line in worker.heard("trouble") if line["role"] != "worker"]


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_restarts_every_few_seconds_lose_nothing(
    spawn: StartProcess, private_server: Server, private_dsn: str, mode: StopMode
) -> None:
    values = range(150)
    ids = enqueue_mixed(private_dsn, values)
    worker = spawn(private_dsn, executor="thread", concurrency=2, poll=0.5)
    for _ in range(3):
        wait(2)
        private_server.restart(mode)
    check_all(private_dsn, ids, values)
    check_told_once(worker)
    with psycopg.connect(private_dsn) as conn:
        assert conn.execute("select count(*) from pgqueue.attempts where outcome = 'lost'").fetchone() == (0,)


def test_an_outage_of_15_seconds_is_told_in_a_few_lines(
    spawn: StartProcess, private_server: Server, private_dsn: str
) -> None:
    values = range(20)
    worker = spawn(private_dsn, executor="thread", concurrency=2, poll=0.5)
    ids = enqueue_mixed(private_dsn, values)
    private_server.stop("fast")
    wait(15)
    private_server.start()
    check_all(private_dsn, ids, values)
    check_told_once(worker)
    wait_until(lambda: {line["role"] for line in worker.heard("database back")} >= {"claimer", "heartbeat", "listener"})


def test_backends_killed_every_second_cost_no_job(spawn: StartProcess, desk: Desk, dsn: str) -> None:
    values = range(100)
    ids = enqueue_mixed(dsn, values)
    worker = spawn(dsn, executor="thread", concurrency=2, poll=0.5)
    with cutting(dsn, "%", every=1.0):
        wait(6)
    check_all(dsn, ids, values)
    check_told_once(worker)
    # Who was interrupted by the server's own word was given back.
    assert desk.one("select count(*) from pgqueue.attempts where error_type like '%%AdminShutdown'") == desk.one(
        "select count(*) from pgqueue.attempts where error_type like '%%AdminShutdown' and outcome = 'released'"
    )


def test_a_database_that_turned_read_only_is_waited_for(
    spawn: StartProcess, private_server: Server, private_dsn: str
) -> None:
    worker = spawn(private_dsn, executor="thread", concurrency=2, poll=0.5)
    with psycopg.connect(private_dsn, autocommit=True) as admin:
        admin.execute("alter system set default_transaction_read_only = on")
        admin.execute("select pg_reload_conf()")
        wait_until(lambda: any("read-only" in line["error"] for line in worker.heard(LOST)))
        wait(5)
        check_told_once(worker)
        admin.execute("set default_transaction_read_only = off")
        admin.execute("alter system reset default_transaction_read_only")
        admin.execute("select pg_reload_conf()")
    ids = enqueue_mixed(private_dsn, range(10))
    check_all(private_dsn, ids, range(10))
    assert worker.process.poll() is None


def test_a_worker_cannot_begin_without_a_free_slot_and_can_when_there_is_one(private_server: Server) -> None:
    dsn = private_server.dsn(tcp=True)
    with psycopg.connect(dsn, autocommit=True) as admin:
        admin.execute("alter system set max_connections = 20")
        admin.execute("alter system set superuser_reserved_connections = 3")
    private_server.restart()
    migrate(dsn)
    plain = make_conninfo(dsn, user="plain")
    command = [sys.executable, "-m", "pgqueue", "worker", "--dsn", plain, "-A", ERRANDS, "--burst", "-x", "thread"]
    with psycopg.connect(dsn, autocommit=True) as admin:
        admin.execute("create role plain login; grant usage on schema pgqueue to plain")
        admin.execute("grant all on all tables in schema pgqueue to plain")
        taken: list[psycopg.Connection[object]] = []

        def take_all() -> None:
            while True:
                taken.append(psycopg.connect(plain))

        with pytest.raises(psycopg.OperationalError, match="slots are reserved"):
            take_all()
        refused = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert refused.returncode == 3
        assert "slots are reserved" in refused.stderr
        for conn in taken:
            conn.close()
        query = "select count(*) = 0 from pg_stat_activity where usename = 'plain'"
        wait_until(lambda: Desk(admin).one(query))
        assert subprocess.run(command, cwd=ROOT, timeout=60).returncode == 0


def test_a_server_without_a_free_slot_is_waited_for(
    spawn: StartProcess, private_server: Server, private_dsn: str
) -> None:
    ids = enqueue_mixed(private_dsn, range(50))
    worker = spawn(private_dsn, executor="thread", concurrency=2, poll=0.5)
    taken: list[psycopg.Connection[object]] = []

    def all_are_taken() -> bool:
        try:
            taken.append(psycopg.connect(private_dsn, autocommit=True))
        except psycopg.OperationalError:
            return any("too many clients" in line["error"] for line in worker.heard(LOST))
        # The worker's own are taken from it, until none is left to come back to.
        taken[0].execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'pgqueue %'"
        )
        return False

    wait_until(all_are_taken, 30)
    for conn in taken:
        conn.close()
    check_all(private_dsn, ids, range(50))
    assert worker.process.poll() is None
