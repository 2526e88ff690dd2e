"""Sync code that SQLAlchemy's asyncio runs: run_sync(), and the events of an AsyncSession."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy import orm
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

import pgqueue
from pgqueue.store.bulk import FEWEST
from tests.client.connections import url
from tests.factories import TARGET, Conn, count, job, make


def in_run_sync(dsn: str, act: Callable[[Any], Any], *, of_connection: bool = False) -> Any:
    """What `act` answers in run_sync() of an AsyncSession or an AsyncConnection, committed."""

    async def main() -> Any:
        engine = create_async_engine(url(dsn))
        async with engine.connect() if of_connection else AsyncSession(engine) as opened:
            answer = await opened.run_sync(act)
            await opened.commit()
        await engine.dispose()
        return answer

    return asyncio.run(main())


@pytest.fixture(params=[False, True], ids=["session", "connection"])
def run(request: pytest.FixtureRequest, dsn: str) -> Callable[[Callable[[Any], Any]], Any]:
    return lambda act: in_run_sync(dsn, act, of_connection=request.param)


def test_every_call_works_in_run_sync(run: Callable[[Callable[[Any], Any]], Any], db: Conn) -> None:
    ended = make(db, pgqueue.JobState.SUCCEEDED)

    def act(conn: Any) -> list[Any]:
        one = pgqueue.enqueue(conn, TARGET, unique_key="k", delay=60)
        assert pgqueue.enqueue(conn, TARGET, unique_key="k") == (one.id, False)
        few = pgqueue.enqueue_many(conn, [pgqueue.NewJob(TARGET), pgqueue.NewJob(TARGET, delay=60)])
        many = pgqueue.enqueue_many(conn, [pgqueue.NewJob(TARGET)] * FEWEST)
        with pgqueue.bound(conn):
            late = pgqueue.Task(_task).delay()
        assert pgqueue.retry(conn, one) == "ready"
        assert pgqueue.cancel(conn, few[0]) == "cancelled"
        assert [each.outcome for each in pgqueue.attempts(conn, few[0])] == ["cancelled"]
        assert pgqueue.result(conn, ended, timeout=5) is None
        assert count(db, "jobs") == 0
        return [one.id, few[1], *many, late.id]

    made = run(act)
    assert count(db, "jobs") == len(made) == len({job(db, each).id for each in made})


def _task() -> None: ...


def test_p1_what_is_rolled_back_leaves_nothing(run: Callable[[Callable[[Any], Any]], Any], db: Conn) -> None:
    def act(conn: Any) -> None:
        pgqueue.enqueue(conn, TARGET)
        pgqueue.enqueue_many(conn, [pgqueue.NewJob(TARGET)] * FEWEST)
        conn.rollback()

    run(act)
    assert count(db, "jobs") == 0


class Audited(orm.Session):
    """What an application derives for its events."""


@pytest.mark.parametrize("event", ["before_commit", "before_flush", "after_flush"])
def test_an_event_of_a_session_enqueues_with_the_transaction_that_fired_it(dsn: str, db: Conn, event: str) -> None:
    db.execute("create table orders (id int primary key)")
    base = orm.declarative_base()

    class Order(base):  # type: ignore[misc, valid-type]  # made at run time
        __tablename__ = "orders"
        id = sqlalchemy.Column(sqlalchemy.Integer, primary_key=True)

    kind = type("OfThisTest", (Audited,), {})
    sqlalchemy.event.listen(kind, event, lambda session, *_: pgqueue.enqueue(session, TARGET, [1]))

    async def main() -> None:
        engine = create_async_engine(url(dsn))
        sessions = async_sessionmaker(engine, sync_session_class=kind)
        async with sessions.begin() as session:
            session.add(Order(id=1))
        async with sessions() as session:
            session.add(Order(id=2))
            await session.flush()
            await session.rollback()
        await engine.dispose()

    asyncio.run(main())
    assert db.execute("select id from orders").fetchall() == [(1,)]
    assert count(db, "jobs") == 1
