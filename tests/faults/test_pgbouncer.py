"""Behind a pooler in transaction mode: everything works, and nothing is left in sessions that belong to others."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

import pgqueue
from pgqueue import self_test
from pgqueue.embedded import Server
from pgqueue.events import DatabaseLost, Trouble
from pgqueue.job import NewJob
from pgqueue.migrate import migrate, status
from pgqueue.store import wakeups
from pgqueue.worker import Worker
from pgqueue.worker.claiming import pace
from tests.conftest import Connect
from tests.factories import claim, enlist, fill, settle
from tests.faults.pgbouncer import pgbouncer
from tests.postgres import Databases
from tests.waiting import wait_until
from tests.worker.running import KINDS, NEVER, Desk, StartProcess, ThreadedWorker, named

pytestmark = pytest.mark.faults

# Whatever a session may keep; one that serves strangers has none of it.
TRACES = (
    "select (select array_agg(name) from pg_settings where source = 'session' and name not in ('application_name',"
    " 'client_encoding', 'DateStyle', 'TimeZone', 'standard_conforming_strings')),"
    " (select array_agg(channel) from pg_listening_channels() as channel),"
    " (select array_agg(statement) from pg_prepared_statements),"
    " (select array_agg(relname) from pg_class where relpersistence = 't' and pg_table_is_visible(oid)),"
    " nullif(current_user, session_user)"
)
CLEAN = (None, None, None, None, None)


@pytest.fixture
def no_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a notification or the clock wakes the worker."""
    monkeypatch.setattr(pace, "FIRST_PROBE", NEVER)


@pytest.fixture
def pooler(server: Server, tmp_path_factory: pytest.TempPathFactory, servers_folder: Path) -> Iterator[int]:
    """The port of a PgBouncer in transaction mode, with two sessions for all."""
    folder = servers_folder / tmp_path_factory.mktemp("pooler").name
    with pgbouncer(server, folder) as port:
        yield port


@pytest.fixture
def pooled(dsn: str, pooler: int) -> str:
    """How to reach the test's database through the pooler."""
    return make_conninfo(dsn, port=pooler)


@pytest.fixture
def pooled_conn(pooled: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection as callers open one behind a pooler."""
    with closing(psycopg.connect(pooled, autocommit=True, prepare_threshold=None)) as conn:
        yield conn


def traces(dsn: str) -> list[Any]:
    """What strangers meet who use both sessions of the pooler at once, and the locks that any session holds."""
    with closing(psycopg.connect(dsn)) as one, closing(psycopg.connect(dsn)) as other:
        found = [conn.execute(TRACES, prepare=False).fetchone() for conn in (one, other)]
        assert one.execute("select pg_backend_pid()").fetchone() != other.execute("select pg_backend_pid()").fetchone()
        locks = "select objid from pg_locks where locktype = 'advisory' and database = (select oid from pg_database"
        return found + one.execute(f"{locks} where datname = current_database())").fetchall()


@pytest.mark.parametrize("kind", KINDS)
def test_two_workers_drain_jobs_of_every_sort(
    kind: str, pooled: str, pooled_conn: psycopg.Connection[Any], desk: Desk, spawn: StartProcess
) -> None:
    workers = [spawn(dsn=pooled, executor=kind, concurrency=3, poll_only=True, poll=0.2) for _ in range(2)]
    with pooled_conn.transaction():
        new = [NewJob(named("effect"), [number]) for number in range(60)]
        new += [NewJob(named("fail_until"), [3], store_result=True) for _ in range(20)]
        new += [NewJob(named("work"), []) for _ in range(120)]
        made = pgqueue.enqueue_many(pooled_conn, new)
    made += [pgqueue.enqueue(pooled_conn, named("effect_async"), [100 + number]).id for number in range(20)]
    assert pgqueue.result(pooled_conn, made[60], timeout=60) == 3
    desk.await_all_ended(60)
    desk.check_books(made, succeeded=len(made))
    desk.check_effects([*range(60), *range(100, 120)])
    assert desk.one("select max(attempt) from pgqueue.attempts where position('fail_until' in target) = 0") == 1
    for worker in workers:
        troubles = [line for line in worker.lines if line["level"] != "info" and not line["event"].startswith("failed")]
        assert troubles == []
    assert traces(pooled) == [CLEAN, CLEAN]


def test_a_rolled_back_enqueue_through_a_pooler_leaves_nothing(
    pooled: str, pooled_conn: psycopg.Connection[Any], desk: Desk
) -> None:
    with pooled_conn.transaction(force_rollback=True):
        pgqueue.enqueue(pooled_conn, named("work"))
    assert desk.one("select count(*) from pgqueue.jobs") == 0
    assert traces(pooled) == [CLEAN, CLEAN]


def test_a_worker_behind_a_pooler_says_once_that_it_is_deaf_and_polls(pooled: str, desk: Desk) -> None:
    worker = ThreadedWorker(pooled, executor="thread", poll=NEVER)
    try:
        wait_until(lambda: worker.heard(Trouble))
        for _ in range(3):
            desk.await_state(desk.send("work"), timeout=5)
        assert ["--listen-dsn" in trouble.hint for trouble in worker.heard(Trouble)] == [True]
        assert worker.heard(DatabaseLost) == []
        wait_until(lambda: desk.backends("listener") == [], message="the listener's end")
    finally:
        assert worker.stop() == 0
    assert traces(pooled) == [CLEAN, CLEAN]


def test_a_worker_that_is_told_to_poll_says_nothing(pooled: str, desk: Desk) -> None:
    worker = ThreadedWorker(pooled, executor="thread", poll=NEVER, poll_only=True)
    try:
        desk.await_state(desk.send("work"), timeout=5)
        assert worker.heard(Trouble) == []
    finally:
        assert worker.stop() == 0


@pytest.mark.usefixtures("no_probes")
def test_a_direct_connection_for_listening_wakes_a_worker_behind_a_pooler(
    pooled: str, pooled_conn: psycopg.Connection[Any], dsn: str, desk: Desk
) -> None:
    worker = ThreadedWorker(pooled, executor="thread", poll=NEVER, listen_dsn=dsn)
    try:
        desk.await_idle()
        made = pgqueue.enqueue(pooled_conn, named("work")).id
        desk.await_state(made, timeout=5)
        assert worker.heard(Trouble) == []
    finally:
        assert worker.stop() == 0
    assert traces(pooled) == [CLEAN, CLEAN]


@pytest.mark.usefixtures("no_probes")
def test_a_pooler_in_session_mode_will_do_for_listening(
    server: Server, servers_folder: Path, pooled: str, desk: Desk
) -> None:
    with pgbouncer(server, servers_folder / "session-mode", mode="session", size=5) as port:
        worker = ThreadedWorker(pooled, executor="thread", poll=NEVER, listen_dsn=make_conninfo(pooled, port=port))
        try:
            desk.await_idle()
            desk.await_state(desk.send("work"), timeout=5)
            assert worker.heard(Trouble) == []
        finally:
            assert worker.stop() == 0


def test_a_dsn_for_listening_that_leads_to_a_pooler_is_found_out(
    pooled: str, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pgqueue.worker.claiming.listener.SELF_TEST_DEADLINE", 0.5)
    worker = ThreadedWorker(pooled, executor="thread", poll=NEVER, listen_dsn=pooled)
    try:
        wait_until(lambda: worker.heard(Trouble))
        desk.await_state(desk.send("work"), timeout=5)
        assert len(worker.heard(Trouble)) == 1
    finally:
        assert worker.stop() == 0


def test_listening_that_fails_anew_is_told_once_and_replaced_by_polling(
    dsn: str, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pooler that is not found out: LISTEN seems to work, and nothing arrives."""
    monkeypatch.setattr(self_test, "SELF_TEST_EVERY", 0.2)
    monkeypatch.setattr(self_test, "SELF_TEST_DEADLINE", 0.2)
    listen = wakeups.listen
    monkeypatch.setattr(wakeups, "listen", lambda channel: listen("elsewhere"))
    worker = ThreadedWorker(dsn, executor="thread", poll=NEVER)
    try:
        wait_until(lambda: worker.heard(Trouble))
        (pid,) = desk.backends("listener")
        desk.await_state(desk.send("work"), timeout=5)
        time.sleep(2)
        assert desk.backends("listener") == [pid]
        assert len(worker.heard(Trouble)) == 1
        assert len(worker.heard(DatabaseLost)) == 1
    finally:
        assert worker.stop() == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_job_leaves_nothing_in_a_session_that_belongs_to_others(kind: str, pooled: str, desk: Desk) -> None:
    made = [desk.send("tests.worker.sample_tasks:soil_session") for _ in range(4)]
    app = ["tests.worker.sample_tasks"]
    assert Worker(pooled, app=app, executor=kind, concurrency=2, burst=True, observers=[]).run() == 0  # type: ignore[arg-type]
    desk.check_books(made, succeeded=4)
    assert traces(pooled) == [CLEAN, CLEAN]


def test_a_failed_job_leaves_no_lock_and_no_statement_behind(pooled: str, desk: Desk) -> None:
    made = [desk.send("soil_and_fail") for _ in range(4)]
    assert Worker(pooled, app=["tests.worker.errands"], executor="thread", burst=True, observers=[]).run() == 0
    desk.check_books(made, dead=4)
    assert traces(pooled) == [CLEAN, CLEAN]


def test_result_polls_behind_a_pooler(pooled: str, pooled_conn: psycopg.Connection[Any], desk: Desk) -> None:
    made = pgqueue.enqueue(pooled_conn, named("fail_until"), [1], delay=1, store_result=True).id
    answers: list[Any] = []
    waiting = threading.Thread(target=lambda: answers.append(pgqueue.result(pooled_conn, made, timeout=30)))
    waiting.start()
    worker = ThreadedWorker(pooled, executor="thread", poll_only=True)
    try:
        waiting.join(30)
        assert answers == [1]
        assert asyncio.run(_result_async(pooled, made)) == 1
    finally:
        assert worker.stop() == 0
    assert traces(pooled) == [CLEAN, CLEAN]


def test_many_who_wait_behind_a_pooler_cost_one_connection_that_looks_and_it_is_said_once(
    pooled: str, pooled_conn: psycopg.Connection[Any], desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    worker, ids = enlist(desk.conn, concurrency=20), fill(desk.conn, 20)
    taken = claim(desk.conn, worker, 20)
    with ThreadPoolExecutor(21) as pool:
        waiting = [pool.submit(pgqueue.result, pooled_conn, job, 20) for job in ids]
        all_of_them = pool.submit(pgqueue.wait_many, pooled_conn, ids, 20)
        wait_until(lambda: caplog.records, message="it was said")
        settle(desk.conn, *taken)
        assert [each.result(10) for each in waiting] == [None] * 20
        assert all(each.ended for each in all_of_them.result(10))
    assert [record.name for record in caplog.records] == ["pgqueue.waiting"]
    assert "LISTEN does not work through the pooler" in caplog.text
    assert traces(pooled) == [CLEAN, CLEAN]


async def _result_async(dsn: str, made: Any) -> Any:
    async with await psycopg.AsyncConnection.connect(dsn, prepare_threshold=None) as conn:
        return await pgqueue.result(conn, made, timeout=10)


def test_the_roles_defaults_reach_no_worker_behind_a_pooler(
    server: Server, dsn: str, servers_folder: Path, desk: Desk
) -> None:
    """SERIALIZABLE and read-only by default: each transaction says otherwise."""
    name = desk.one("select current_database()")
    desk.conn.execute(f"alter database {name} set default_transaction_isolation = 'serializable'")
    desk.conn.execute(f"alter database {name} set default_transaction_read_only = on")
    with pgbouncer(server, servers_folder / "serializable") as port:
        pooled = make_conninfo(dsn, port=port)
        made = [desk.send("effect", number) for number in range(10)]
        app = ["tests.worker.errands"]
        assert Worker(pooled, app=app, executor="thread", concurrency=3, burst=True, observers=[]).run() == 0
        desk.check_books(made, succeeded=10)
        assert [found[0] for found in traces(pooled)] == [None, None]


def test_the_schema_is_migrated_through_a_pooler(
    server: Server, databases: Databases, pooler: int, connect: Connect
) -> None:
    empty = "migrated_through_a_pooler"
    connect(autocommit=True).execute(f"create database {empty}")
    try:
        pooled = make_conninfo(server.dsn(empty, tcp=True), port=pooler)
        migrators = [threading.Thread(target=migrate, args=[pooled]) for _ in range(3)]
        for migrator in migrators:
            migrator.start()
        for migrator in migrators:
            migrator.join(60)
        assert status(pooled).state == "current"
        assert status(pooled).functions
        assert traces(pooled) == [CLEAN, CLEAN]
    finally:
        databases.drop(empty)


def test_a_pooler_that_restarts_costs_no_job(
    server: Server, dsn: str, servers_folder: Path, desk: Desk, spawn: StartProcess
) -> None:
    with pgbouncer(server, servers_folder / "first") as port:
        worker = spawn(dsn=make_conninfo(dsn, port=port), executor="process", poll_only=True)
        made = [desk.send("effect", number, 0.05) for number in range(60)]
        wait_until(lambda: desk.one("select count(*) from effects") >= 10)
    time.sleep(0.5)
    with pgbouncer(server, servers_folder / "second", port=port):
        desk.await_all_ended(60)
    desk.check_books(made, succeeded=60)
    desk.check_effects(range(60))
    assert worker.process.poll() is None
