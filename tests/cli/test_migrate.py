"""`pgqueue migrate`: creates, repeats, prints, tells."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pgqueue import migration_plan
from pgqueue.store.schema import NEWEST_REVISION
from tests.cli.conftest import Command


def test_a_database_is_migrated_once(pgqueue: Command, bare_dsn: str) -> None:
    first, second = pgqueue("migrate", "--dsn", bare_dsn), pgqueue("--dsn", bare_dsn, "migrate")
    assert (first.code, first.out) == (0, f"The schema is at revision {NEWEST_REVISION}.\n")
    assert (second.code, second.out) == (
        0,
        f"The schema is at revision {NEWEST_REVISION} already; nothing had to change.\n",
    )


def test_status_tells_and_changes_nothing(pgqueue: Command, bare_dsn: str) -> None:
    for _ in range(2):
        ran = pgqueue("migrate", "--status", "--dsn", bare_dsn)
        assert ran.code == 78
        assert "There is no schema pgqueue" in ran.out
    assert pgqueue("migrate", "--status").code == 0


def test_status_as_json(pgqueue: Command) -> None:
    ran = pgqueue("migrate", "--status", "--json")
    assert ran.json == {"revision": NEWEST_REVISION, "newest": NEWEST_REVISION, "state": "current", "functions": True}


def test_functions_of_another_version_are_told_and_replaced(pgqueue: Command, conn: psycopg.Connection[Any]) -> None:
    conn.execute("comment on schema pgqueue is 'functions of yesterday'")
    conn.commit()
    told = pgqueue("migrate", "--status")
    assert told.code == 78
    assert "its functions are older" in told.out
    assert pgqueue("migrate").out == f"The schema is at revision {NEWEST_REVISION}.\n"
    assert pgqueue("migrate", "--status").code == 0


def test_sql_prints_a_script_and_needs_no_database(
    pgqueue: Command, connect: Callable[..., psycopg.Connection[Any]], bare_dsn: str
) -> None:
    ran = pgqueue("migrate", "--sql", "--dsn", "postgresql://nowhere.invalid/")
    assert ran.code == 0
    connect(bare_dsn, autocommit=True).execute(ran.out)
    assert pgqueue("migrate", "--status", "--dsn", bare_dsn).code == 0


def test_a_database_newer_than_the_code_is_refused(pgqueue: Command, conn: psycopg.Connection[Any]) -> None:
    conn.execute("update pgqueue.alembic_version set version_num = '9999'")
    conn.commit()
    ran = pgqueue("migrate")
    assert ran.code == 78
    assert "upgrade pgqueue here" in ran.err
    assert "newer than this pgqueue" in pgqueue("migrate", "--status").out


def test_check_tells_what_would_be_locked_and_changes_nothing(
    pgqueue: Command, conn: psycopg.Connection[Any], bare_dsn: str
) -> None:
    assert "nothing would change" in pgqueue("migrate", "--check").out
    assert "Nobody waits" in pgqueue("migrate", "--check", "--dsn", bare_dsn).out
    conn.execute("comment on schema pgqueue is 'functions of yesterday'")
    conn.commit()
    told = pgqueue("migrate", "--check")
    assert told.code == 0
    assert "gets other functions and views" in told.out
    assert "Reads of the views wait about" in told.out
    found = pgqueue("migrate", "--check", "--json").json
    assert found["locks"]["job"] == "access exclusive"
    assert "jobs" not in found["locks"]
    assert pgqueue("migrate", "--status").code == 78


def test_check_fails_where_somebody_would_wait_for_long(
    pgqueue: Command, conn: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    conn.execute("comment on schema pgqueue is 'functions of yesterday'")
    conn.commit()
    monkeypatch.setattr(migration_plan, "STATEMENT", 1.0)
    told = pgqueue("migrate", "--check")
    assert told.code == 1
    assert "That is longer than 2 s." in told.out


def test_check_of_a_newer_database_is_refused(pgqueue: Command, conn: psycopg.Connection[Any]) -> None:
    conn.execute("update pgqueue.alembic_version set version_num = '9999'")
    conn.commit()
    assert pgqueue("migrate", "--check").code == 78


def test_one_thing_at_a_time(pgqueue: Command) -> None:
    ran = pgqueue("migrate", "--check", "--contract")
    assert (ran.code, "give one of --sql" in ran.err) == (2, True)


def test_contract_and_functions_of_tell_what_they_did(pgqueue: Command, tmp_path: Path) -> None:
    assert pgqueue("migrate", "--contract").out == "There is nothing that no code needs any more.\n"
    assert pgqueue("migrate", "--contract", "--json").json == []
    refused = pgqueue("migrate", "--functions-of", tmp_path)
    assert (refused.code, "give its wheel" in refused.err) == (2, True)
