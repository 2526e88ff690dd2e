"""Workers on databases and roles that are set otherwise than ours."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg import sql

import pgqueue
from pgqueue.migrate import migrate
from tests.postgres import Databases
from tests.worker.running import Desk, StartThreaded, ThreadedWorker

SETTINGS = (
    ("array_nulls", "off"),
    ("bytea_output", "escape"),
    ("client_encoding", "LATIN1"),
    ("DateStyle", "SQL, DMY"),
    ("IntervalStyle", "sql_standard"),
    ("default_transaction_isolation", "serializable"),
    ("search_path", ""),
    ("standard_conforming_strings", "off"),
    ("TimeZone", "Asia/Kathmandu"),
    ("transform_null_equals", "on"),
)


@pytest.mark.parametrize(
    ("option", "value", "fault"),
    [
        ("poll", math.nan, "poll must be more than 0 seconds, got nan"),
        ("poll", "5", "poll must be seconds or a timedelta"),
        ("poll", 0, "poll must be more than 0 seconds"),
        ("lease", timedelta(milliseconds=1), "lease must be 1 second or more"),
        ("lease", math.inf, "lease must be less than a century"),
        ("lease", None, "lease must be seconds or a timedelta"),
        ("shutdown_timeout", -1, "shutdown_timeout must be 0 or more seconds"),
        ("concurrency", 0, "concurrency must be a whole number from 1"),
        ("concurrency", 2.5, "concurrency must be a whole number from 1"),
        ("concurrency", "4", "concurrency must be a whole number from 1"),
        ("executor", "threads", "executor must be one of process, thread, async, got 'threads'"),
        ("executor", ["thread"], "executor must be one of"),
        ("burst", 1, "burst must be True or False"),
        ("poll_only", "no", "poll_only must be True or False"),
        ("max_jobs_per_child", 0, "max_jobs_per_child must be a whole number from 1"),
        ("max_memory_per_child", 1.5, "max_memory_per_child must be a whole number from 1"),
        ("infra_limit", 0, "infra_limit must be a whole number from 1"),
        ("infra_minutes", math.nan, "infra_minutes must be a number from"),
        ("queues", [], "queues must name at least one queue"),
        ("queues", "mail", "queues must be a list of names"),
        ("queues", {"mail": 0}, "the weight of queue 'mail' must be a whole number from 1 to 1000, got 0"),
        ("queues", {"mail": "3"}, "the weight of queue 'mail' must be a whole number from 1 to 1000, got '3'"),
        ("queues", {"mail": None}, "the weight of queue 'mail' must be a whole number, got None"),
        ("queues", {}, "queues must name at least one queue"),
        ("queues", ["!mail"], r"a queue to leave out is named by exclude, got '!mail'; write exclude=\['mail'\]"),
        ("exclude", "mail", "exclude must be a list of names"),
        ("exclude", [""], "a queue must be a text of 1 to 500 characters"),
        ("ageing", 0, "ageing must be more than 0 seconds"),
        ("queues", ["mail", ""], "a queue must be a text of 1 to 500 characters"),
        ("app", "shop.tasks", "app must be a list of names"),
    ],
)
def test_every_option_of_a_worker_is_checked_where_it_is_written(option: str, value: Any, fault: str) -> None:
    with pytest.raises(pgqueue.OptionError, match=fault):
        pgqueue.Worker("", **{option: value})


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


def test_an_error_of_which_a_part_was_left_out_is_told_in_any_encoding(latin: str) -> None:
    with psycopg.connect(latin, autocommit=True) as conn:
        desk = Desk(conn)
        failing = desk.send("fail_with_a_detail", "the name of a customer")
        worker = ThreadedWorker(latin, executor="thread")
        try:
            assert desk.await_state(failing).state == "dead"
        finally:
            worker.stop()
        assert desk.errors(failing) == ["ValueError: it is taken\nDETAIL:  *****"]
