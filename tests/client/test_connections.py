"""Every kind of connection: its transaction decides, and nothing of it is changed."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
import pytest
import sqlalchemy
from sqlalchemy import orm

import pgqueue
from pgqueue.job import NewJob
from tests.client.connections import KINDS, Kind, Opened, answer, run, url
from tests.factories import HOUR, TARGET, Conn, claim, count, enlist, enqueue, settle, state

WITHOUT_PIPELINE = {name: kind for name, kind in KINDS.items() if "pipeline" not in name}


@pytest.fixture(params=KINDS.values(), ids=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    chosen: Kind = request.param
    return chosen


async def enqueue_all(conn: Any) -> list[Any]:
    """One job by each way in, and one more that finds the first."""
    one = await answer(pgqueue.enqueue(conn, TARGET, {"n": 1.5}, unique_key="k", labels={"a": "b"}))
    again = await answer(pgqueue.enqueue(conn, TARGET, unique_key="k"))
    assert again == (one.id, False)
    many = await answer(pgqueue.enqueue_many(conn, [NewJob(TARGET), NewJob(TARGET, delay=HOUR)]))
    return [one.id, *many]


def test_p1_a_commit_makes_the_jobs_exist(kind: Kind, dsn: str, db: Conn) -> None:
    async def act(opened: Opened) -> list[Any]:
        made = await enqueue_all(opened.conn)
        assert count(db, "jobs") == 0
        await opened.commit()
        return made

    made = run(kind, dsn, act)
    assert [state(db, each) for each in made] == ["ready", "ready", "scheduled"]


def test_p10_what_a_job_says_of_its_key_holds_on_every_kind_of_connection(kind: Kind, dsn: str, db: Conn) -> None:
    async def act(opened: Opened) -> list[Any]:
        options: dict[str, Any] = {
            "unique": "args",
            "unique_until": "start",
            "on_conflict": "replace",
            "max_wait": HOUR,
        }
        one = await answer(pgqueue.enqueue(opened.conn, TARGET, [1], delay=HOUR, **options))
        again = await answer(pgqueue.enqueue(opened.conn, TARGET, [1], priority=7, **options))
        assert (one.created, one.replaced, again, again.replaced) == (True, False, (one.id, False), True)
        many = await answer(pgqueue.enqueue_many(opened.conn, [NewJob(TARGET), NewJob(TARGET, [1], **options)]))
        await opened.commit()
        return [one.id, *many]

    first, other, found = run(kind, dsn, act)
    assert first == found != other
    assert (pgqueue.get_job(db, first).priority, count(db, "jobs")) == (7, 2)


@pytest.mark.parametrize("name", ["psycopg", "async", "SQLAlchemy Session", "SQLAlchemy AsyncSession"])
def test_a_unique_key_that_is_taken_is_the_same_error_everywhere(name: str, dsn: str, db: Conn) -> None:
    made = pgqueue.enqueue(db, TARGET, unique_key="k").id
    new = NewJob(TARGET, unique_key="k", on_conflict="raise")

    async def act(opened: Opened) -> None:
        with pytest.raises(pgqueue.KeyTaken) as one:
            await answer(pgqueue.enqueue(opened.conn, TARGET, unique_key="k", on_conflict="raise"))
        await opened.rollback()
        with pytest.raises(pgqueue.KeyTaken) as many:
            await answer(pgqueue.enqueue_many(opened.conn, [NewJob(TARGET), new]))
        await opened.rollback()
        assert one.value.job_id == many.value.job_id == made

    run(KINDS[name], dsn, act)
    assert count(db, "jobs") == 1


def test_p1_a_rollback_leaves_no_job_no_notification_and_no_key(kind: Kind, dsn: str, db: Conn) -> None:
    db.execute("listen pgqueue")
    db.execute("select pg_advisory_lock_shared(7702, 0)")

    async def act(opened: Opened) -> None:
        await enqueue_all(opened.conn)
        await opened.rollback()
        assert count(db, "jobs") == 0
        enqueue(db, unique_key="k", delay=HOUR)

    run(kind, dsn, act)
    assert list(db.notifies(timeout=0.02)) == []


def test_nothing_of_the_connection_is_changed(kind: Kind, dsn: str) -> None:
    async def act(opened: Opened) -> None:
        before = opened.settings()
        made, *_ = await enqueue_all(opened.conn)
        for ask in (pgqueue.get_job, pgqueue.attempts, pgqueue.cancel, pgqueue.retry):
            await answer(ask(opened.conn, made))
            assert opened.settings() == before, ask.__name__
        await opened.commit()
        assert opened.settings() == before

    run(kind, dsn, act)


def test_a_job_is_read_and_moved_by_every_kind(kind: Kind, dsn: str, db: Conn) -> None:
    async def act(opened: Opened) -> None:
        conn = opened.conn
        one, two, scheduled = await enqueue_all(conn)
        job = await answer(pgqueue.get_job(conn, one))
        assert (job.args, job.labels, job.state, job.id) == ({"n": 1.5}, {"a": "b"}, "ready", one)
        assert await answer(pgqueue.cancel(conn, two)) == "cancelled"
        assert await answer(pgqueue.retry(conn, scheduled)) == "ready"
        (attempt,) = await answer(pgqueue.attempts(conn, two))
        assert (attempt.job_id, attempt.outcome) == (two, "cancelled")
        await opened.commit()

    run(kind, dsn, act)
    assert len(claim(db, enlist(db), 10)) == 2


@pytest.mark.parametrize("kind", WITHOUT_PIPELINE.values(), ids=WITHOUT_PIPELINE)
def test_a_result_is_read_by_every_kind_and_nothing_is_changed(kind: Kind, dsn: str, db: Conn) -> None:
    made = enqueue(db)
    settle(db, *claim(db, enlist(db)))
    db.execute("insert into pgqueue.results values (%s, now() + interval '1 hour', '[1.5]')", [made])

    async def act(opened: Opened) -> None:
        before = opened.settings()
        assert await answer(pgqueue.result(opened.conn, made, timeout=5)) == [1.5]
        assert opened.settings() == before

    run(kind, dsn, act)
    assert db.execute("select count(*) from pg_locks where locktype = 'advisory'").fetchone() == (0,)


def test_a_savepoint_that_is_rolled_back_takes_its_job_alone(dsn: str, db: Conn) -> None:
    engine = sqlalchemy.create_engine(url(dsn))
    with orm.Session(engine) as session, session.begin():
        kept = pgqueue.enqueue(session, TARGET)
        nested = session.begin_nested()
        pgqueue.enqueue(session, TARGET)
        nested.rollback()
    with engine.begin() as conn:
        nested = conn.begin_nested()
        pgqueue.enqueue(conn, TARGET)
        nested.rollback()
    engine.dispose()
    assert db.execute("select id from pgqueue.jobs").fetchall() == [(kept.id,)]


def test_a_transaction_block_commits_and_rolls_back(dsn: str, db: Conn) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        with conn.transaction():
            kept = pgqueue.enqueue(conn, TARGET)
        with conn.transaction(force_rollback=True):
            pgqueue.enqueue(conn, TARGET)
    assert db.execute("select id from pgqueue.jobs").fetchall() == [(kept.id,)]


def test_in_autocommit_mode_each_call_commits(dsn: str, db: Conn) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        made = pgqueue.enqueue(conn, TARGET).id
        assert state(db, made) == "ready"


def test_rows_of_an_orm_and_the_job_commit_together(dsn: str, db: Conn) -> None:
    db.execute("create table orders (id int primary key)")
    engine = sqlalchemy.create_engine(url(dsn))
    with orm.Session(engine) as session:
        insert = sqlalchemy.text("insert into orders values (1)")
        session.execute(insert)
        pgqueue.enqueue(session, TARGET)
        with pytest.raises(sqlalchemy.exc.IntegrityError):
            session.execute(insert)
    assert (count(db, "jobs"), db.execute("select count(*) from orders").fetchone()) == (0, (0,))
    engine.dispose()


def test_a_search_path_of_the_callers_own_does_not_matter(dsn: str, db: Conn) -> None:
    with psycopg.connect(dsn) as conn:
        conn.execute("set search_path = ''")
        made = pgqueue.enqueue(conn, TARGET).id
        assert pgqueue.cancel(conn, made) == "cancelled"


@pytest.mark.parametrize("style", ["iso, dmy", "sql, mdy", "german", "postgres"])
def test_values_read_back_do_not_depend_on_date_and_interval_styles(dsn: str, style: str) -> None:
    with psycopg.connect(dsn) as conn:
        conn.execute("set timezone = 'Asia/Kolkata'; set bytea_output = 'escape'; set intervalstyle = 'sql_standard'")
        conn.execute(f"set datestyle = '{style}'")
        made = pgqueue.enqueue(conn, TARGET, delay=60).id
        job = pgqueue.get_job(conn, made)
        assert job.run_at is not None
        assert job.created_at is not None
        assert 59 < (job.run_at - job.created_at).total_seconds() < 90


class connection:
    """What psycopg2 calls its own."""


@pytest.mark.parametrize(
    ("wrong", "advice"),
    [
        (sqlalchemy.create_engine("postgresql+psycopg://"), "got Engine; use `with engine.begin"),
        ("postgresql://", "got str; open it"),
        (orm.sessionmaker(), "got sessionmaker; use `with Session.begin"),
        (connection(), "got connection; pass the one whose transaction"),
        (None, "got NoneType"),
    ],
)
@pytest.mark.parametrize("call", [pgqueue.enqueue, pgqueue.enqueue_many, pgqueue.get_job, pgqueue.result])
def test_what_is_no_connection_is_told_what_to_pass(call: Any, wrong: Any, advice: str) -> None:
    given: dict[Any, Any] = {pgqueue.enqueue: TARGET, pgqueue.enqueue_many: [NewJob(TARGET)]}
    with pytest.raises(pgqueue.UsageError, match=advice):
        call(wrong, given.get(call, "0190a0b0-0000-7000-8000-000000000000"))


def test_another_driver_below_sqlalchemy_is_told() -> None:
    engine = sqlalchemy.create_engine("sqlite://")
    with engine.connect() as conn, pytest.raises(pgqueue.UsageError, match=r"psycopg2 or asyncpg here, got sqlite3"):
        pgqueue.enqueue(conn, TARGET)


def test_a_closed_connection_raises_as_psycopg_does(dsn: str) -> None:
    conn = psycopg.connect(dsn)
    conn.close()
    with pytest.raises(psycopg.OperationalError):
        pgqueue.enqueue(conn, TARGET)


def test_two_coroutines_may_share_an_async_connection(dsn: str, db: Conn) -> None:
    async def main() -> None:
        async with await psycopg.AsyncConnection.connect(dsn) as conn:
            await asyncio.gather(*(pgqueue.enqueue(conn, TARGET) for _ in range(10)))

    asyncio.run(main())
    assert count(db, "jobs") == 10
