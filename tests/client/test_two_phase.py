"""Two-phase commit as drivers do it: psycopg's tpc_begin(), and a SQLAlchemy session with twophase=True."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy import orm

import pgqueue
from pgqueue.store.batches import PIECE_BYTES
from pgqueue.store.bulk import FEWEST
from tests.client.connections import url
from tests.factories import TARGET, Conn, count

LARGE = "x" * (PIECE_BYTES // 2)
WAYS: dict[str, Callable[[Any], Any]] = {
    "enqueue": lambda conn: pgqueue.enqueue(conn, TARGET, notify="off"),
    "enqueue with a key": lambda conn: pgqueue.enqueue(conn, TARGET, notify="off", unique_key="k"),
    "enqueue_many": lambda conn: pgqueue.enqueue_many(conn, [pgqueue.NewJob(TARGET, notify="off")]),
    "enqueue_many by COPY": lambda conn: pgqueue.enqueue_many(conn, [pgqueue.NewJob(TARGET, notify="off")] * FEWEST),
    "enqueue_many in pieces": lambda conn: pgqueue.enqueue_many(
        conn, [pgqueue.NewJob(TARGET, [LARGE], max_args=PIECE_BYTES, notify="off", delay=1)] * 3
    ),
}


@pytest.fixture(params=WAYS.values(), ids=WAYS)
def way(request: pytest.FixtureRequest) -> Iterator[Callable[[Any], Any]]:
    return request.param


def test_psycopgs_own_prepares_and_commits(conn: Conn, db: Conn, way: Callable[[Any], Any]) -> None:
    conn.tpc_begin(conn.xid(1, db.info.dbname, "jobs"))
    way(conn)
    conn.tpc_prepare()
    assert count(db, "jobs") == 0
    conn.tpc_commit()
    assert count(db, "jobs") > 0


def test_a_fault_in_the_middle_leaves_it_as_it_was(conn: Conn, db: Conn) -> None:
    conn.tpc_begin(conn.xid(1, db.info.dbname, "fault"))
    kept = pgqueue.enqueue(conn, TARGET, notify="off").id
    for many in (
        [pgqueue.NewJob(TARGET)] * FEWEST,
        [pgqueue.NewJob(TARGET, [LARGE], max_args=PIECE_BYTES, delay=1)] * 3,
    ):
        with pytest.raises(pgqueue.ArgumentError):
            pgqueue.enqueue_many(conn, [*many, pgqueue.NewJob(TARGET, [object()], delay=many[0].delay)])
    conn.tpc_prepare()
    conn.tpc_commit()
    assert db.execute("select id from pgqueue.jobs").fetchall() == [(kept,)]


def test_a_session_of_sqlalchemy_does_too(dsn: str, db: Conn, way: Callable[[Any], Any]) -> None:
    engine = sqlalchemy.create_engine(url(dsn))
    with orm.Session(engine, twophase=True) as session:
        session.execute(sqlalchemy.text("select 1"))
        way(session)
        session.commit()
    engine.dispose()
    assert count(db, "jobs") > 0
    assert db.execute("select count(*) from pg_prepared_xacts where database = current_database()").fetchone() == (0,)
