"""Rows that nobody should have written, by hand or by a foreign program: every read survives them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

import pgqueue as api
from pgqueue.embedded import Server
from pgqueue.job import JobState
from pgqueue.migrate import migrate
from pgqueue.store import execute, reading
from tests.cli.conftest import Command
from tests.conftest import Connect
from tests.factories import make

Conn = psycopg.Connection[Any]

DEEP = "[" * 900 + "]" * 900
VALUES = {
    "created_at": ["infinity", "-infinity", "294000-01-01Z", "4700-01-01Z BC", "9999-12-31 23:59:59Z"],
    "args": [DEEP, f'{{"a": {DEEP}}}', f"[{'9' * 5000}]", '["\\ud800"]', '"text"', "null", "[1e400]", '["\\u0000"]'],
    "labels": ["[1]", '"text"', "7", f"[{'9' * 5000}]", "null", '{"a": {"b": 1}}', DEEP],
    "target": ["", "\x1b[2J", "a" * 100_000, "\u202e:x"],
    "max_attempts": [-5],
    "limit_key": ["\x1b[2J\n"],
}
ODD = [(column, value) for column, values in VALUES.items() for value in values]
READS = [
    *("jobs list", "jobs list --json", "jobs show {}", "jobs show {} --json", "jobs attempts {}"),
    *("dead list", "dead show {}", "status", "queues list"),
    *("jobs explain {}", "queues explain default --json"),
]


@pytest.fixture
def conn(connect: Connect) -> Conn:
    """A connection to a database whose rows may say anything, as before there were checks."""
    conn = connect(autocommit=True)
    checks = conn.execute(
        "select conrelid::regclass::text, conname from pg_constraint"
        " where contype = 'c' and connamespace = 'pgqueue'::regnamespace"
    )
    for table, name in checks.fetchall():
        conn.execute(f"alter table {table} drop constraint {name}")
    return conn


def spoil(conn: Conn, job_id: UUID, column: str, value: object) -> None:
    for table, key in (("jobs", "id"), ("attempts", "job_id"), ("dead_jobs", "id")):
        conn.execute(f"update pgqueue.{table} set {column} = %s where {key} = %s", [value, job_id])


@pytest.mark.parametrize("state", [JobState.READY, JobState.SUCCEEDED, JobState.DEAD])
def test_no_value_of_a_row_hides_it_or_another(pgqueue: Command, conn: Conn, state: JobState) -> None:
    made: list[UUID] = []
    for column, value in ODD:
        conn.execute("delete from pgqueue.jobs")
        made.append(make(conn, state, labels={"a": "b"}))
        spoil(conn, made[-1], column, value)
    found = pgqueue("jobs", "list", "--json", "-n", 1000)
    assert found.code == 0, found.err
    meant = made[-1:] if state is JobState.READY else made
    assert "Infinity" not in found.out
    assert [job["id"] for job in found.json] == [str(job_id) for job_id in reversed(meant)]


@pytest.mark.faults
@pytest.mark.parametrize(("column", "value"), ODD, ids=[f"{column}-{str(value)[:12]!r}" for column, value in ODD])
def test_every_read_survives_every_row(pgqueue: Command, conn: Conn, column: str, value: object) -> None:
    made = make(conn, JobState.DEAD, labels={"a": "b"})
    beside = make(conn, JobState.READY, labels={"a": "b"})
    for job_id in (made, beside):
        spoil(conn, job_id, column, value)
    for command in READS:
        ran = pgqueue(*command.format(made).split())
        assert (ran.code, ran.err) == (0, ""), command
        assert "\x1b" not in ran.out
    for job_id in (made, beside):
        assert api.get_job(conn, job_id).id == job_id
        assert execute(conn, reading.get(job_id))


@pytest.mark.parametrize("moment", ["infinity", "-infinity"])
@pytest.mark.parametrize("column", ["started_at", "expires_at"])
def test_every_read_survives_every_worker(
    pgqueue: Command, enqueue: Callable[..., str], conn: Conn, column: str, moment: str
) -> None:
    enqueue("send_receipt")
    conn.execute(
        "insert into pgqueue.workers (id, host, pid, queues, executor, concurrency, expires_at)"
        " values (1, E'\\x1b[2J', -1, '{{a,null},{b,c}}', '', -3, now())"
    )
    conn.execute(f"update pgqueue.workers set {column} = %s", [moment])
    (job_id,) = conn.execute("select id from pgqueue.jobs").fetchone() or ("",)
    for command in ("workers list", "workers list --json", "status", "status --json", f"jobs explain {job_id}"):
        ran = pgqueue(*command.split())
        assert (ran.code, ran.err) == (0, ""), command


@pytest.mark.parametrize("result", [DEEP, f"[{'9' * 5000}]", '"\\ud800"'])
def test_every_result_is_printed(pgqueue: Command, conn: Conn, result: str) -> None:
    made = make(conn, JobState.SUCCEEDED)
    conn.execute("insert into pgqueue.results values (%s, now() + interval '1 hour', %s)", [made, result])
    ran = pgqueue("jobs", "result", made)
    assert (ran.code, ran.err) == (0, "")


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_every_read_survives_text_that_is_no_utf_8(
    server: Server, database: str, pgqueue: Command, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    """In a database of another encoding: what cannot be said is written out, and hides no other job."""
    name = sql.Identifier(f"{database}_{encoding.lower()}")
    create = sql.SQL("create database {} template template0 encoding {} lc_collate 'C' lc_ctype 'C'")
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute(create.format(name, sql.Literal(encoding)))
        dsn = server.dsn(name.as_string(None).strip('"'), tcp=True)
        migrate(dsn)
        with psycopg.connect(f"{dsn} client_encoding={encoding}", autocommit=True) as conn:
            odd = b"caf\xe9"
            conn.execute(
                "insert into pgqueue.jobs (id, target, queue, args, unique_key) values"
                " (pgqueue.uuid7(), convert_from(%(odd)b, %(code)s), convert_from(%(odd)b, %(code)s),"
                " to_json(convert_from(%(odd)b, %(code)s)), convert_from(%(odd)b, %(code)s))",
                {"odd": odd, "code": encoding},
            )
            conn.execute("insert into pgqueue.jobs (id, target) values (pgqueue.uuid7(), 'a:b')")
            (made,) = conn.execute("select id from pgqueue.jobs where target <> 'a:b'").fetchone() or ("",)
        monkeypatch.setenv("PGQUEUE_DSN", dsn)
        for command in (
            "jobs list",
            "jobs list --json",
            f"jobs show {made}",
            "queues list",
            "status",
            "workers list",
            f"jobs explain {made}",
            f"jobs explain {made} --json",
            "queues explain default",
        ):
            ran = pgqueue(*command.split())
            assert ran.code == 0, (command, ran.err)
        assert len(pgqueue("jobs", "list", "--json").json) == 2
        admin.execute(sql.SQL("drop database {} with (force)").format(name))
