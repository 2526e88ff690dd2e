"""Other drivers than psycopg 3: their transactions decide as its own do, and what they cannot do is said."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import asyncpg
import psycopg
import psycopg2
import psycopg2.extras
import pytest
import sqlalchemy
from sqlalchemy.ext import asyncio as sqlalchemy_asyncio

import pgqueue
from pgqueue.job import NewJob
from pgqueue.store import batches
from pgqueue.store.unwrapping import unwrap_by
from pgqueue.testing import drain
from tests.client.connections import (
    Kind,
    Opened,
    answer,
    async_session,
    asyncpg_words,
    by_asyncpg,
    by_psycopg2,
    run,
    session,
    url,
)
from tests.factories import HOUR, TARGET, Conn, claim, count, enlist, enqueue, settle, state

OTHERS: dict[str, Kind] = {
    "psycopg2": by_psycopg2,
    "asyncpg": by_asyncpg,
    "SQLAlchemy on psycopg2": session("psycopg2"),
    "SQLAlchemy on asyncpg": async_session("asyncpg"),
}
MANY = 150


@pytest.fixture(params=OTHERS.values(), ids=OTHERS)
def kind(request: pytest.FixtureRequest) -> Kind:
    chosen: Kind = request.param
    return chosen


async def say(opened: Opened, sql: str) -> Any:
    """Run a statement of the caller's own, as the caller does."""
    conn = opened.conn
    if isinstance(conn, psycopg2.extensions.connection):
        return conn.cursor().execute(sql)
    return await answer(conn.execute(sqlalchemy.text(sql) if hasattr(conn, "get_bind") else sql))


def test_p1_very_many_jobs_are_copied_and_commit_together(kind: Kind, dsn: str, db: Conn) -> None:
    new_jobs = [
        NewJob(TARGET, {"n": n, "text": "ü\\\t\n%s $1"}, queue=f"q{n % 3}", labels={"n": str(n)}) for n in range(MANY)
    ]

    async def act(opened: Opened) -> list[Any]:
        made: list[Any] = await answer(pgqueue.enqueue_many(opened.conn, new_jobs))
        assert count(db, "jobs") == 0
        await opened.commit()
        return made

    made = run(kind, dsn, act)
    assert count(db, "jobs") == MANY
    assert pgqueue.get_job(db, made[7]).args == {"n": 7, "text": "ü\\\t\n%s $1"}
    assert (pgqueue.get_job(db, made[7]).queue, pgqueue.get_job(db, made[7]).labels) == ("q1", {"n": "7"})


@pytest.mark.parametrize("many", [3, MANY])
def test_what_cannot_be_enqueued_leaves_the_transaction_as_it_was(kind: Kind, many: int, dsn: str, db: Conn) -> None:
    async def act(opened: Opened) -> Any:
        kept = await answer(pgqueue.enqueue(opened.conn, TARGET))
        with pytest.raises(pgqueue.ArgumentError):
            await answer(pgqueue.enqueue_many(opened.conn, [*[NewJob(TARGET)] * many, NewJob(TARGET, {"x": object()})]))
        await opened.commit()
        return kept.id

    kept = run(kind, dsn, act)
    assert db.execute("select id from pgqueue.jobs").fetchall() == [(kept,)]


def test_p1_a_savepoint_that_is_rolled_back_takes_its_jobs_alone(kind: Kind, dsn: str, db: Conn) -> None:
    async def act(opened: Opened) -> Any:
        kept = await answer(pgqueue.enqueue(opened.conn, TARGET))
        await say(opened, "savepoint mine")
        await answer(pgqueue.enqueue(opened.conn, TARGET, unique_key="k"))
        await answer(pgqueue.enqueue_many(opened.conn, [NewJob(TARGET)] * MANY))
        await say(opened, "rollback to savepoint mine")
        await opened.commit()
        return kept.id

    kept = run(kind, dsn, act)
    assert db.execute("select id from pgqueue.jobs").fetchall() == [(kept,)]
    assert enqueue(db, unique_key="k")


def test_p1_a_taken_key_that_is_caught_in_a_savepoint_leaves_the_rest(kind: Kind, dsn: str, db: Conn) -> None:
    enqueue(db, unique_key="k")

    async def act(opened: Opened) -> None:
        await answer(pgqueue.enqueue(opened.conn, TARGET))
        await say(opened, "savepoint mine")
        with pytest.raises(pgqueue.KeyTaken):
            await answer(pgqueue.enqueue(opened.conn, TARGET, unique_key="k", on_conflict="raise"))
        await say(opened, "rollback to savepoint mine")
        await opened.commit()

    run(kind, dsn, act)
    assert count(db, "jobs") == 2


def test_where_psycopg2_cannot_copy_many_jobs_go_as_statements(dsn: str, db: Conn) -> None:
    psycopg2.extensions.set_wait_callback(psycopg2.extras.wait_select)
    try:
        with psycopg2.connect(dsn) as conn:
            pgqueue.enqueue_many(conn, [NewJob(TARGET)] * MANY)
            pgqueue.group([NewJob(TARGET, [n]) for n in range(MANY)]).enqueue(conn)
        conn.close()
    finally:
        psycopg2.extensions.set_wait_callback(None)
    assert count(db, "jobs") == 2 * MANY


def test_in_a_pipeline_a_cursor_copies_no_more_than_its_connection(dsn: str, db: Conn) -> None:
    with psycopg.connect(dsn) as conn, conn.pipeline(), conn.cursor() as cursor:
        pgqueue.enqueue_many(cursor, [NewJob(TARGET)] * MANY)
    assert count(db, "jobs") == MANY


def test_asyncpg_s_own_blocks_decide(dsn: str, db: Conn) -> None:
    async def act(opened: Opened) -> None:
        conn = opened.conn
        kept = await pgqueue.enqueue(conn, TARGET)
        inner = conn.transaction()
        await inner.start()
        await pgqueue.enqueue_many(conn, [NewJob(TARGET)] * MANY)
        await inner.rollback()
        await opened.commit()
        assert (await pgqueue.get_job(conn, kept)).state == "ready"

    run(by_asyncpg, dsn, act)
    assert count(db, "jobs") == 1


def test_outside_of_a_transaction_each_call_commits_and_is_all_or_nothing(
    dsn: str, db: Conn, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Several statements.
    monkeypatch.setattr(batches, "PIECE_BYTES", 1000)
    taken = NewJob(TARGET, unique_key="k", on_conflict="raise")
    large = [NewJob(TARGET, {"x": "x" * 500}) for _ in range(12)]

    async def with_asyncpg() -> None:
        conn = await asyncpg.connect(**asyncpg_words(dsn))
        await pgqueue.enqueue(conn, TARGET, unique_key="k")
        with pytest.raises(pgqueue.KeyTaken):
            await pgqueue.enqueue_many(conn, [*large, taken])
        assert not conn.is_in_transaction()
        await conn.close()

    asyncio.run(with_asyncpg())
    assert count(db, "jobs") == 1
    conn = psycopg2.connect(dsn)
    conn.autocommit = True
    pgqueue.enqueue(conn, TARGET)
    with pytest.raises(pgqueue.KeyTaken):
        pgqueue.enqueue_many(conn, [*large, taken])
    assert count(db, "jobs") == 2
    assert pgqueue.enqueue_many(conn, [*large, NewJob(TARGET)])
    assert count(db, "jobs") == 2 + len(large) + 1
    conn.close()


@pytest.mark.parametrize("delay", [0.0, 0.3])
def test_a_result_is_waited_for_and_read(kind: Kind, delay: float, dsn: str, db: Conn) -> None:
    made = enqueue(db)
    db.execute("insert into pgqueue.results values (%s, now() + interval '1 hour', '[1.5]')", [made])
    (held,) = claim(db, enlist(db))
    timer = threading.Timer(delay, settle, (db, held))
    timer.start()

    async def act(opened: Opened) -> None:
        assert await answer(pgqueue.result(opened.conn, made, timeout=5)) == [1.5]
        assert [each.state for each in await answer(pgqueue.wait_many(opened.conn, [made], timeout=5))] == ["succeeded"]

    run(kind, dsn, act)
    timer.join()


def test_a_result_that_does_not_come_is_given_up_in_time(kind: Kind, dsn: str, db: Conn) -> None:
    made = enqueue(db)

    async def act(opened: Opened) -> None:
        with pytest.raises(pgqueue.ResultTimeout):
            await answer(pgqueue.result(opened.conn, made, timeout=0.2))

    run(kind, dsn, act)


def test_a_workflow_is_written_whole_by_statement_and_by_copy(kind: Kind, dsn: str, db: Conn) -> None:
    async def act(opened: Opened) -> None:
        for many in (3, MANY):
            await answer(
                pgqueue.group([NewJob(TARGET, [n]) for n in range(many)], then=NewJob(TARGET)).enqueue(opened.conn)
            )
        await opened.commit()

    run(kind, dsn, act)
    assert count(db, "jobs") == 3 + MANY
    assert db.execute("select count(*) from pgqueue.workflow").fetchone() == (2,)


def test_a_share_of_a_limit_is_held(dsn: str, db: Conn) -> None:
    pgqueue.set_limit(db, "key", "stripe", concurrency=1)
    conn = psycopg2.connect(dsn)
    with pgqueue.limit(conn, "stripe"), pytest.raises(pgqueue.LimitReached), pgqueue.limit(db, "stripe", wait=0):
        pass
    conn.close()

    async def with_asyncpg() -> None:
        conn = await asyncpg.connect(**asyncpg_words(dsn))
        async with pgqueue.limit(conn, "stripe"):
            with pytest.raises(pgqueue.LimitReached):
                async with pgqueue.limit(conn, "stripe", wait=0):
                    pass
        await conn.close()

    asyncio.run(with_asyncpg())
    with pgqueue.limit(db, "stripe", wait=0):
        pass


def test_a_missing_schema_and_an_error_of_the_caller_s_own_are_told_apart(server: Any, databases: Any) -> None:
    name = databases.create("template0")
    dsn = server.dsn(name, tcp=True)
    conn = psycopg2.connect(dsn)
    with pytest.raises(pgqueue.SchemaError, match="run `pgqueue migrate`"):
        pgqueue.enqueue(conn, TARGET)
    conn.close()

    async def with_asyncpg() -> None:
        conn = await asyncpg.connect(**asyncpg_words(dsn))
        with pytest.raises(pgqueue.SchemaError, match="run `pgqueue migrate`") as caught:
            await pgqueue.enqueue(conn, TARGET, unique_key="k")
        assert isinstance(caught.value.__cause__, asyncpg.PostgresError)
        await conn.close()

    asyncio.run(with_asyncpg())
    databases.drop(name)


def test_what_the_database_refuses_for_its_own_reasons_is_the_driver_s_error(dsn: str, db: Conn) -> None:
    db.execute("create function refuse() returns trigger language plpgsql as 'begin raise ''no jobs today''; end'")
    db.execute("create trigger refuse before insert on pgqueue.jobs for each row execute function refuse()")
    conn = psycopg2.connect(dsn)
    with pytest.raises(psycopg2.errors.RaiseException, match="no jobs today"):
        pgqueue.enqueue(conn, TARGET)
    conn.close()

    async def act(opened: Opened) -> None:
        with pytest.raises(asyncpg.RaiseError, match="no jobs today"):
            await pgqueue.enqueue(opened.conn, TARGET)

    run(by_asyncpg, dsn, act)


def test_a_value_cannot_leave_its_place_in_the_statement(kind: Kind, dsn: str, db: Conn) -> None:
    nasty = "%s %(1)s $1 '); drop table x; --\n\\ \u2028 \" ' ü"

    async def act(opened: Opened) -> Any:
        made = await answer(pgqueue.enqueue(opened.conn, TARGET, [nasty], unique_key=nasty, labels={nasty: nasty}))
        job = await answer(pgqueue.get_job(opened.conn, made))
        assert (job.args, job.unique_key, job.labels) == ([nasty], nasty, {nasty: nasty})
        assert await answer(pgqueue.attempts(opened.conn, made)) == []
        await opened.commit()
        return made.id

    assert state(db, run(kind, dsn, act)) == "ready"


def test_times_mean_the_same_moment_whatever_the_session_s_zone(kind: Kind, dsn: str, db: Conn) -> None:
    async def act(opened: Opened) -> Any:
        await say(opened, "set timezone = 'Asia/Kolkata'")
        made = await answer(pgqueue.enqueue(opened.conn, TARGET, delay=HOUR))
        seen = await answer(pgqueue.get_job(opened.conn, made))
        await opened.commit()
        return seen

    seen = run(kind, dsn, act)
    assert seen == pgqueue.get_job(db, seen.id)
    assert seen.run_at.utcoffset() is not None


def test_every_answer_is_as_psycopg_s(dsn: str, db: Conn) -> None:
    made = pgqueue.enqueue(db, TARGET, {"x": [1.5, None]}, labels={"a": "b"}, unique_key="k", priority=7, ttl=HOUR)
    settle(db, *claim(db, enlist(db)))
    asks: list[Any] = [
        lambda conn: pgqueue.get_job(conn, made),
        lambda conn: pgqueue.attempts(conn, made),
        lambda conn: pgqueue.tree(conn, made),
        lambda conn: pgqueue.job_logs(conn, made),
    ]
    wanted = [ask(db) for ask in asks]

    async def act(opened: Opened) -> list[Any]:
        return [await answer(ask(opened.conn)) for ask in asks]

    for name, other in OTHERS.items():
        assert run(other, dsn, act) == wanted, name


def test_what_only_psycopg_can_do_says_so(dsn: str, db: Conn) -> None:
    made = enqueue(db)
    conn = psycopg2.connect(dsn)
    for call in (lambda: list(pgqueue.watch(conn, made)), lambda: drain(conn)):
        with pytest.raises(pgqueue.UsageError, match="needs a connection of psycopg 3, got psycopg2's; open one"):
            call()
    conn.close()


def aiopg_connection() -> Any:
    """As aiopg names its own."""
    return type("Connection", (), {"__module__": "aiopg.connection"})()


def test_drivers_that_are_not_supported_are_told_the_way_by_sql(dsn: str) -> None:
    asynchronous = psycopg2.connect(dsn, async_=1)
    pg8000 = type("Connection", (), {"__module__": "pg8000.core"})()
    for conn, told in [
        (asynchronous, "asynchronous connection of psycopg2"),
        (aiopg_connection(), "aiopg"),
        (pg8000, "got Connection"),
    ]:
        with pytest.raises(pgqueue.UsageError, match=rf"{told}.*select pgqueue\.enqueue\("):
            pgqueue.enqueue(conn, TARGET)
    asynchronous.close()


def test_django_s_connection_is_told_which_app_makes_it_one() -> None:
    wrapper = type("DatabaseWrapper", (), {"__module__": "django.db.backends.postgresql.base"})()
    with pytest.raises(pgqueue.UsageError, match=r"'pgqueue\.contrib\.django' to INSTALLED_APPS"):
        pgqueue.enqueue(wrapper, TARGET)


def test_a_pool_is_told_how_to_lend(dsn: str) -> None:
    async def act() -> None:
        async with asyncpg.create_pool(**asyncpg_words(dsn), min_size=0) as pool:
            with pytest.raises(pgqueue.UsageError, match=r"pool\.acquire\(\)"):
                pgqueue.enqueue(pool, TARGET)

    asyncio.run(act())


def test_sync_code_under_sqlalchemy_s_asyncio_enqueues_on_asyncpg(dsn: str, db: Conn) -> None:
    async def act() -> None:
        engine = sqlalchemy_asyncio.create_async_engine(url(dsn, "asyncpg"))
        async with engine.begin() as conn:
            await conn.run_sync(lambda inner: pgqueue.enqueue(inner, TARGET))
            await conn.run_sync(lambda inner: pgqueue.enqueue_many(inner, [NewJob(TARGET)] * MANY))
        async with engine.connect() as conn:
            await conn.run_sync(lambda inner: pgqueue.enqueue(inner, TARGET))
            await conn.rollback()
        await engine.dispose()

    asyncio.run(act())
    assert count(db, "jobs") == 1 + MANY


def test_p1_under_sqlalchemy_asyncpg_s_first_statement_may_be_ours(dsn: str, db: Conn) -> None:
    async def act() -> None:
        engine = sqlalchemy_asyncio.create_async_engine(url(dsn, "asyncpg"))
        async with engine.connect() as conn:
            await pgqueue.enqueue(conn, TARGET)
            await conn.rollback()
            await pgqueue.enqueue_many(conn, [NewJob(TARGET)] * MANY)
            await conn.rollback()
        async with engine.begin() as conn:
            await pgqueue.enqueue(conn, TARGET)
        async with engine.connect() as conn:
            # Without a transaction the call commits by itself.
            await conn.execution_options(isolation_level="AUTOCOMMIT")
            await pgqueue.enqueue(conn, TARGET)
            assert count(db, "jobs") == 2
        await engine.dispose()

    asyncio.run(act())
    assert count(db, "jobs") == 2


def test_what_a_framework_wraps_is_unwrapped(dsn: str, db: Conn) -> None:
    class Wrapper:
        def __init__(self, conn: Any) -> None:
            self.inner = conn

    unwrap_by(lambda conn: conn.inner if isinstance(conn, Wrapper) else None)
    with psycopg.connect(dsn) as conn:
        pgqueue.enqueue(Wrapper(conn), TARGET)  # type: ignore[call-overload]  # what a framework's types would allow
    conn = psycopg2.connect(dsn)
    with conn:
        pgqueue.enqueue(Wrapper(conn.cursor()), TARGET)  # type: ignore[call-overload]
    conn.close()

    async def act(opened: Opened) -> None:
        await pgqueue.enqueue(Wrapper(opened.conn), TARGET)  # type: ignore[call-overload]
        await opened.commit()

    run(by_asyncpg, dsn, act)
    assert count(db, "jobs") == 3
