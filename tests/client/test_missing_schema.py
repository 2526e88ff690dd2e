"""A database without the schema, or with another release's: every call says what to do, and harms nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.pq import TransactionStatus

import pgqueue
from pgqueue.errors import SchemaError
from pgqueue.migrate import migrate
from pgqueue.store.bulk import FEWEST
from pgqueue.store.schema import NEWEST_REVISION, OLDEST_SERVED, require_schema
from tests.conftest import Connect
from tests.factories import TARGET, Conn, make

GIVEN = UUID("0190a0b0-0000-7000-8000-000000000001")
CALLS: dict[str, Callable[[Any], Any]] = {
    "enqueue": lambda conn: pgqueue.enqueue(conn, TARGET),
    "enqueue with a key": lambda conn: pgqueue.enqueue(conn, TARGET, unique_key="k"),
    "enqueue_many": lambda conn: pgqueue.enqueue_many(conn, [pgqueue.NewJob(TARGET, delay=1)]),
    "enqueue_many by COPY": lambda conn: pgqueue.enqueue_many(conn, [pgqueue.NewJob(TARGET)] * FEWEST),
    "Task.enqueue": lambda conn: pgqueue.Task(_task).enqueue(conn),
    "get_job": lambda conn: pgqueue.get_job(conn, GIVEN),
    "attempts": lambda conn: pgqueue.attempts(conn, GIVEN),
    "cancel": lambda conn: pgqueue.cancel(conn, GIVEN),
    "retry": lambda conn: pgqueue.retry(conn, GIVEN),
    "result": lambda conn: pgqueue.result(conn, GIVEN, timeout=1),
}


def _task() -> None: ...


@pytest.fixture
def bare(db: Conn) -> Conn:
    """A connection to a database that nobody has migrated."""
    db.execute("drop schema pgqueue cascade")
    db.execute("create table mine (value int)")
    return db


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_without_a_schema_every_call_says_to_migrate(bare: Conn, call: Callable[[Any], Any]) -> None:
    with pytest.raises(
        SchemaError, match=r"this database has no schema pgqueue yet .*; run `pgqueue migrate` on it"
    ) as e:
        call(bare)
    assert isinstance(e.value.__cause__, psycopg.Error)
    # In autocommit mode the connection goes on at once.
    assert bare.info.transaction_status == TransactionStatus.IDLE
    bare.execute("insert into mine values (1)")


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_the_callers_transaction_is_as_psycopg_leaves_it(
    bare: Conn, connect: Connect, call: Callable[[Any], Any]
) -> None:
    conn = connect()
    conn.execute("insert into mine values (1)")
    with pytest.raises(SchemaError), conn.transaction():
        call(conn)
    # A savepoint of the caller's saves the rest.
    conn.execute("insert into mine values (2)")
    conn.commit()
    assert bare.execute("select value from mine").fetchall() == [(1,), (2,)]


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_an_async_connection_is_told_the_same(bare: Conn, call: Callable[[Any], Any]) -> None:
    async def main() -> None:
        async with await psycopg.AsyncConnection.connect(bare.info.dsn, autocommit=True) as conn:
            answer = call(conn)
            assert isawaitable(answer)
            await _of(answer)

    with pytest.raises(SchemaError, match="run `pgqueue migrate`"):
        asyncio.run(main())


async def _of(answer: Awaitable[Any]) -> Any:
    return await answer


def test_delay_says_it_too(bare: Conn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGQUEUE_DSN", bare.info.dsn)
    with pytest.raises(SchemaError, match="run `pgqueue migrate`"):
        pgqueue.Task(_task).delay()


def test_a_function_of_another_release_is_told_as_such(db: Conn) -> None:
    make(db, pgqueue.JobState.READY)
    db.execute("alter function pgqueue.cancel rename to cancel_of_old")
    with pytest.raises(SchemaError, match=r"is of another version than this pgqueue .*cancel.*, upgrade pgqueue here"):
        pgqueue.cancel(db, GIVEN)


def test_what_a_trigger_of_the_users_misses_is_not_ours_to_explain(db: Conn) -> None:
    db.execute(
        "create function audit() returns trigger language plpgsql as 'begin perform from ledger; return new; end'"
    )
    db.execute("create trigger audit before insert on pgqueue.jobs for each row execute function audit()")
    with pytest.raises(psycopg.errors.UndefinedTable, match="ledger"):
        pgqueue.enqueue(db, TARGET)


def become(db: Conn, revision: str, served: str | None) -> None:
    """Let the schema be of another release."""
    db.execute("update pgqueue.alembic_version set version_num = %s", [revision])
    said = served and f"'pgqueue, a job queue; serves code from {served}; functions of 9.0.0, 0123456789abcdef'"
    db.execute(f"comment on schema pgqueue is {said or 'null'}")


def test_code_works_with_a_newer_schema_that_serves_it(db: Conn) -> None:
    become(db, "9998", NEWEST_REVISION)
    require_schema(db)


@pytest.mark.parametrize("served", ["9997", None])
def test_code_refuses_a_newer_schema_that_does_not_serve_it(db: Conn, served: str | None) -> None:
    become(db, "9998", served)
    with pytest.raises(SchemaError, match=r"at revision 9998, newer than this pgqueue .*; upgrade pgqueue here"):
        require_schema(db)
    with pytest.raises(SchemaError, match="newer than this pgqueue"):
        pgqueue.Worker(db.info.dsn, executor="thread", burst=True).run()
    with pytest.raises(SchemaError, match="newer than this pgqueue"):
        migrate(db.info.dsn)


def test_code_refuses_an_older_schema(db: Conn) -> None:
    become(db, "0001", None)
    with pytest.raises(SchemaError, match=r"at revision 0001, this code needs .*; run `pgqueue migrate`"):
        pgqueue.Worker(db.info.dsn, executor="thread", burst=True).run()


def test_the_schema_says_which_code_it_serves(db: Conn) -> None:
    row = db.execute("select obj_description('pgqueue'::regnamespace)").fetchone()
    assert row is not None
    assert f"serves code from {OLDEST_SERVED};" in row[0]
    assert db.execute("select version_num from pgqueue.alembic_version").fetchone() == (NEWEST_REVISION,)
