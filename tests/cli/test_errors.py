"""Each expected error is one message that says what to do, and an exit code; never a traceback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from pgqueue.cli.errors import exit_code
from pgqueue.errors import (
    AppError,
    DatabaseUnreachable,
    EmbeddedError,
    JobNotFound,
    OptionError,
    PgqueueError,
    SchemaError,
    TargetError,
)
from tests.cli.conftest import Command

NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PgqueueError("x"), 1),
        (OptionError("x"), 2),
        (TargetError("x"), 2),
        (AppError("x"), 2),
        (DatabaseUnreachable("x"), 3),
        (EmbeddedError("x"), 3),
        (JobNotFound("x"), 4),
        (SchemaError("x"), 78),
    ],
)
def test_each_error_has_its_exit_code(error: PgqueueError, code: int) -> None:
    assert exit_code(error) == code


def test_a_shell_sees_message_and_exit_code(shell: Command) -> None:
    ran = shell("jobs", "show", uuid4())
    assert ran.code == 4
    assert ran.out == ""
    assert ran.err.startswith("Error: no job ")
    assert "Traceback" not in ran.err


def test_no_dsn_is_a_usage_error(pgqueue: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PGQUEUE_DSN")
    ran = pgqueue("status")
    assert ran.code == 2
    assert "give --dsn" in ran.err
    assert "PGQUEUE_DSN" in ran.err


@pytest.mark.parametrize("words", [["status"], ["migrate"], ["enqueue", "a:b"]])
def test_a_database_that_is_not_there(pgqueue: Command, words: list[str]) -> None:
    ran = pgqueue("--dsn", NOWHERE, *words)
    assert ran.code == 3
    assert "no connection to 127.0.0.1:1/nothing" in ran.err
    assert "Connection refused" in ran.err


@pytest.mark.parametrize("dsn", ["postgresql+psycopg://me:hush@h/d", "postgresql://me:hush@[::1/d"])
def test_a_dsn_that_cannot_be_read_is_not_repeated(pgqueue: Command, dsn: str) -> None:
    ran = pgqueue("--dsn", dsn, "status")
    assert ran.code == 3
    assert "hush" not in ran.err
    assert ("without +driver" in ran.err) is ("+" in dsn)


def test_a_dsn_that_cannot_be_read(pgqueue: Command) -> None:
    ran = pgqueue("--dsn", "over there", "status")
    assert ran.code == 3
    assert "reads like postgresql://" in ran.err


@pytest.mark.parametrize(
    "words", [["status"], ["jobs", "list"], ["enqueue", "a:b"], ["workers", "list"], ["queues", "pause", "mail"]]
)
def test_a_database_without_the_schema(pgqueue: Command, bare_dsn: str, words: list[str]) -> None:
    ran = pgqueue("--dsn", bare_dsn, *words)
    assert ran.code == 78
    assert "run `pgqueue migrate`" in ran.err


def test_a_schema_that_is_too_old(pgqueue: Command, conn: psycopg.Connection[Any]) -> None:
    conn.execute("update pgqueue.alembic_version set version_num = '0000'")
    conn.commit()
    ran = pgqueue("status")
    assert ran.code == 78
    assert "run `pgqueue migrate`" in ran.err


def test_a_function_that_is_missing_means_an_old_schema(
    pgqueue: Command, conn: psycopg.Connection[Any], enqueue: Callable[..., str]
) -> None:
    job_id = enqueue("send_receipt", "[1]")
    conn.execute("drop function pgqueue.cancel")
    conn.commit()
    ran = pgqueue("jobs", "cancel", job_id)
    assert ran.code == 78
    assert "run `pgqueue migrate`" in ran.err


def test_a_connection_that_breaks_names_the_way_to_repeat(pgqueue: Command, conn: psycopg.Connection[Any]) -> None:
    conn.execute("""
        create function cut_off() returns trigger language plpgsql as $$
        begin perform pg_terminate_backend(pg_backend_pid()); return new; end $$;
        create trigger cut_off before insert on pgqueue.jobs for each row execute function cut_off();
    """)
    conn.commit()
    ran = pgqueue("enqueue", "a:b")
    assert ran.code == 3
    assert "run the command again, with --job-id " in ran.err
    job_id = ran.err.split("--job-id ")[1].split(",")[0]
    conn.execute("drop trigger cut_off on pgqueue.jobs")
    conn.commit()
    assert pgqueue("enqueue", "a:b", "--job-id", job_id).out.strip() == job_id
    assert pgqueue("enqueue", "a:b", "--job-id", job_id).err.endswith("was there already; nothing was added\n")


@pytest.fixture
def stranger(dsn: str, conn: psycopg.Connection[Any], database: str) -> Iterator[str]:
    """The DSN of a role that may do nothing in schema pgqueue."""
    role = sql.Identifier(f"stranger_{database}")
    conn.execute(sql.SQL("create role {} login").format(role))
    conn.commit()
    yield dsn.replace("user=postgres", f"user=stranger_{database}")
    conn.execute(sql.SQL("drop role {}").format(role))
    conn.commit()


def test_a_role_without_rights(pgqueue: Command, stranger: str) -> None:
    ran = pgqueue("--dsn", stranger, "status")
    assert ran.code == 1
    assert "permission denied for schema pgqueue; grant it to this role" in ran.err


@pytest.mark.parametrize("group", [[], ["jobs"], ["dead"], ["queues"], ["workers"], ["tasks"], ["db"]])
def test_a_group_alone_shows_its_commands(pgqueue: Command, group: list[str]) -> None:
    ran = pgqueue(*group)
    assert (ran.code, ran.err) == (0, "")
    assert "Commands:" in ran.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nonsense"], "nonsense"),
        (["jobs", "show", "4x"], "32 hexadecimal digits with dashes, or its first ones, got 4x"),
        (["jobs", "list", "--state", "redy"], "'redy' is none of scheduled, ready, running"),
        (["enqueue", "shop.send"], "must read 'module:function', got 'shop.send'"),
        (["enqueue", "a:b", "42"], "wrap a single one"),
        (["enqueue", "a:b", "--delay", "soon"], "a time reads like"),
        (["enqueue", "a:b", "--delay", "5", "--at", "2031-01-01"], "delay or run_at, not both"),
        (["enqueue", "a:b", "--priority", "12"], "priority must be a whole number from 0 to 9, got 12"),
        (["enqueue", "a:b", "--label", "x"], "KEY=VALUE"),
        (["enqueue", "a:b", "[NaN]"], "args[0]"),
        (["enqueue", "-A", "no.such.module", "a:b"], "cannot import no.such.module"),
        (["migrate", "--sql", "--status"], "give one of"),
        (["worker"], "-A shop.tasks"),
        (["worker", "-A", "tests.cli.shop", "-x", "fiber"], "'fiber' is none of process, thread, async"),
        (["worker", "-A", "tests.cli.shop", "-Q", ","], "--queues names no queue"),
        (["tasks", "list"], "-A shop.tasks"),
        (["tasks", "list", "-A", "no.such.module"], "cannot import no.such.module"),
        (["jobs", "run", str(uuid4())], "-A shop.tasks"),
        (["dead", "retry"], "--all"),
        (["dead", "retry", str(uuid4()), "--queue", "mail"], "narrow --all"),
        (["db", "status"], "say --dsn embedded:"),
    ],
)
def test_a_wrong_call_is_explained(pgqueue: Command, words: list[str], message: str) -> None:
    ran = pgqueue(*words)
    assert ran.code == 2
    assert message in ran.err
    assert ran.out == ""


@pytest.mark.parametrize(
    "words", [["show"], ["attempts"], ["result"], ["cancel"], ["retry"], ["run", "-A", "tests.cli.shop"]]
)
def test_a_job_that_is_not_there(pgqueue: Command, words: list[str]) -> None:
    ran = pgqueue("jobs", *words, uuid4())
    assert ran.code == 4
    assert "no job " in ran.err
