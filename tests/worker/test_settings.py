"""Workers on databases and roles that are set otherwise than ours."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from pgqueue.migrate import migrate
from tests.postgres import Databases
from tests.worker.running import Desk, StartThreaded, ThreadedWorker

SETTINGS = (
    ("DateStyle", "SQL, DMY"),
    ("IntervalStyle", "sql_standard"),
    ("default_transaction_isolation", "serializable"),
    ("search_path", ""),
    ("standard_conforming_strings", "off"),
    ("TimeZone", "Asia/Kathmandu"),
)


@pytest.fixture
def latin(databases: Databases) -> Iterator[str]:
    """The DSN of a database in LATIN1 with pgqueue's schema."""
    server = databases.server
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute("create database latin encoding 'LATIN1' lc_collate 'C' lc_ctype 'C' template template0")
        dsn = server.dsn("latin", tcp=True)
        migrate(dsn)
        yield dsn
        admin.execute("drop database latin with (force)")


@pytest.mark.parametrize(("name", "value"), SETTINGS, ids=[name for name, _ in SETTINGS])
def test_a_worker_runs_whatever_the_database_is_set_to(start: StartThreaded, desk: Desk, name: str, value: str) -> None:
    change = sql.SQL("alter database {} set {} = {}")
    desk.conn.execute(change.format(sql.Identifier(desk.conn.info.dbname), sql.Identifier(name), value))
    job_id, failing = desk.send("enqueue_and", "return"), desk.send("fail_until", 2)
    start(executor="thread")
    assert desk.await_state(job_id).state == "succeeded"
    assert desk.await_state(failing).state == "succeeded"


def test_an_error_that_the_databases_encoding_cannot_hold_hurts_its_own_job_alone(
    latin: str,
) -> None:
    with psycopg.connect(latin, autocommit=True) as conn:
        desk = Desk(conn)
        failing, fine = desk.send("fail_abroad"), desk.send("work")
        worker = ThreadedWorker(latin, executor="thread")
        try:
            assert desk.await_state(fine).state == "succeeded"
            assert desk.await_state(failing).state == "dead"
        finally:
            worker.stop()
        assert "could not be stored" in desk.errors(failing)[0]
