"""Whether idle workers are told: said by a call, by a session or its role, or by a queue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

import pgqueue
from pgqueue.store import execute, queues
from pgqueue.store.bulk import FEWEST
from tests.conftest import Connect
from tests.factories import TARGET, Conn, count
from tests.worker.running import Desk, ThreadedWorker


def one(conn: Conn, **options: Any) -> object:
    return pgqueue.enqueue(conn, TARGET, **options)


def keyed(conn: Conn, **options: Any) -> object:
    return pgqueue.enqueue(conn, TARGET, unique_key="one", **options)


def few(conn: Conn, **options: Any) -> object:
    return pgqueue.enqueue_many(conn, [pgqueue.NewJob(TARGET, **options)])


def few_keyed(conn: Conn, **options: Any) -> object:
    return pgqueue.enqueue_many(conn, [pgqueue.NewJob(TARGET, unique_key="few", **options)])


def copied(conn: Conn, **options: Any) -> object:
    return pgqueue.enqueue_many(conn, [pgqueue.NewJob(TARGET, **options)] * FEWEST)


def by_task(conn: Conn, **options: Any) -> object:
    return pgqueue.Task(_task).using(**options).enqueue(conn)


def by_sql(conn: Conn, queue: str | None = None) -> object:
    return conn.execute("select pgqueue.enqueue(%s, queue => %s)", [TARGET, queue])


def _task() -> None: ...


WAYS = [one, keyed, few, few_keyed, copied, by_task]
Way = Callable[..., object]


@pytest.fixture
def idle(connect: Connect) -> Conn:
    """Somebody who listens as an idle worker does."""
    ear = connect(autocommit=True)
    ear.execute("listen pgqueue")
    ear.execute("select pg_advisory_lock_shared(7702, 0)")
    return ear


def heard(ear: Conn) -> list[str]:
    ear.execute("notify pgqueue, 'end'")
    found = []
    for each in ear.notifies(timeout=10):
        if each.payload == "end":
            break
        found.append(each.payload)
    return found


@pytest.mark.parametrize("way", WAYS)
def test_a_call_says_whether_idle_workers_are_told(db: Conn, idle: Conn, way: Way) -> None:
    way(db, notify="off")
    assert heard(idle) == []
    db.execute("truncate pgqueue.jobs")
    way(db)
    assert heard(idle) == ["default"]


@pytest.mark.parametrize("way", WAYS)
def test_a_call_that_wants_it_always_is_told_of_though_nobody_is_idle(db: Conn, connect: Connect, way: Way) -> None:
    ear = connect(autocommit=True)
    ear.execute("listen pgqueue")
    way(db)
    assert heard(ear) == []
    db.execute("truncate pgqueue.jobs")
    way(db, notify="always")
    assert heard(ear) == ["default"]


@pytest.mark.parametrize("way", WAYS)
def test_what_a_call_says_holds_for_it_alone(db: Conn, idle: Conn, way: Way) -> None:
    with db.transaction():
        db.execute("set local pgqueue.notify = 'off'")
        way(db, notify="idle")
        assert db.execute("show pgqueue.notify").fetchone() == ("off",)
        db.execute("select pgqueue.enqueue('a:b', queue => 'other')")
    assert heard(idle) == ["default"]


@pytest.mark.parametrize("way", [*WAYS, by_sql])
def test_a_role_says_it_for_all_its_calls(db: Conn, idle: Conn, connect: Connect, way: Way) -> None:
    db.execute("alter role current_user in database " + db.info.dbname + " set pgqueue.notify = 'off'")
    way(connect(autocommit=True))
    assert heard(idle) == []


@pytest.mark.parametrize("way", [*WAYS, by_sql])
def test_a_queue_that_is_off_is_never_told_of(db: Conn, idle: Conn, way: Way) -> None:
    execute(db, queues.set_notify("bulk", "off"))
    way(db, queue="bulk")
    db.execute("set pgqueue.notify = 'always'")
    pgqueue.enqueue(db, TARGET, queue="bulk")
    assert heard(idle) == []
    db.execute("truncate pgqueue.jobs")
    execute(db, queues.set_notify("bulk", "idle"))
    way(db, queue="bulk")
    assert heard(idle) == ["bulk"]


def test_a_role_that_may_only_enqueue_hears_nothing_of_queues_and_is_held_to_them(db: Conn, idle: Conn) -> None:
    execute(db, queues.set_notify("bulk", "off"))
    name = f"clerk_{db.info.dbname}"
    db.execute(f"create role {name}")
    try:
        db.execute(f"grant usage on schema pgqueue to {name}; grant select, insert on pgqueue.jobs to {name}")
        db.execute(f"set role {name}")
        pgqueue.enqueue(db, TARGET, queue="bulk")
        pgqueue.enqueue(db, TARGET, queue="mail")
        assert heard(idle) == ["mail"]
    finally:
        db.execute(f"reset role; drop owned by {name}; drop role {name}")


@pytest.mark.parametrize("way", WAYS)
def test_a_transaction_can_be_prepared_while_a_worker_is_idle(dsn: str, db: Conn, conn: Conn, way: Way) -> None:
    worker = ThreadedWorker(dsn, executor="thread", app=["tests.worker.sample_tasks"], poll=60.0)
    try:
        Desk(db).await_idle()
        way(conn)
        with pytest.raises(psycopg.errors.FeatureNotSupported, match="PREPARE"):
            conn.execute("prepare transaction 'told'")
        conn.rollback()
        way(conn, notify="off")
        conn.execute("prepare transaction 'quiet'")
        assert count(db, "jobs") == 0
        db.execute("commit prepared 'quiet'")
        assert count(db, "jobs") > 0
    finally:
        worker.stop()
