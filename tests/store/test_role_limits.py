"""What roles may enqueue: how often, how large, into how many queues; refused in the transaction of who goes beyond."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

import pgqueue
from pgqueue import NewJob
from tests.conftest import Connect
from tests.factories import TARGET, Conn, claim, count, enlist, enqueue, settle
from tests.waiting import wait_until

REFUSED = (pgqueue.EnqueueLimit, psycopg.errors.ConfigurationLimitExceeded)
Way = Callable[[Conn, int], object]


@pytest.fixture
def shop(db: Conn, conn: Conn) -> Iterator[Conn]:
    """A connection of a producer, whose role is named by shop_role()."""
    role = sql.Identifier(shop_role(conn))
    db.execute(sql.SQL("create role {}").format(role))
    db.execute(sql.SQL("grant usage on schema pgqueue to {}").format(role))
    tables = sql.SQL("pgqueue.jobs, pgqueue.workflows, pgqueue.nodes, pgqueue.gates, pgqueue.waiting")
    db.execute(sql.SQL("grant select, insert, update on {} to {}").format(tables, role))
    db.execute(sql.SQL("grant select on all tables in schema pgqueue to {}").format(role))
    conn.execute(sql.SQL("set role {}").format(role))
    conn.commit()
    yield conn
    conn.rollback()
    conn.execute("reset role")
    conn.commit()
    db.execute(sql.SQL("drop owned by {}").format(role))
    db.execute(sql.SQL("drop role {}").format(role))


def shop_role(conn: Conn) -> str:
    return f"shop_of_{conn.info.dbname}"


def many(conn: Conn, count: int, **options: Any) -> None:
    pgqueue.enqueue_many(conn, [NewJob(TARGET, [n], **options) for n in range(count)])


def workflow(conn: Conn, count: int) -> None:
    """One begins, the others wait for it."""
    steps = [{"name": str(n), "target": TARGET, "after": ["0"] if n else []} for n in range(count)]
    conn.execute("select pgqueue.enqueue_workflow('flow', %s)", [json.dumps(steps)])


WAYS: dict[str, Way] = {
    "one by one": lambda conn, count: [pgqueue.enqueue(conn, TARGET) for _ in range(count)],
    "in one statement": lambda conn, count: many(conn, count, delay=0),
    "by COPY": lambda conn, count: many(conn, count),
    "in SQL": lambda conn, count: conn.execute(
        "select pgqueue.enqueue('a:b', '[1]') from generate_series(1, %s)", [count]
    ),
    "by hand": lambda conn, count: conn.execute(
        "insert into pgqueue.jobs (id, target) select pgqueue.uuid7(), 'a:b' from generate_series(1, %s)", [count]
    ),
    "as a workflow": workflow,
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_rate_refuses_what_comes_too_soon_by_whichever_way(db: Conn, shop: Conn, way: Way) -> None:
    assert pgqueue.set_role_limit(db, shop_role(shop), rate="300/h")
    way(shop, 300)
    shop.commit()
    with pytest.raises(REFUSED, match=rf"the role '{shop_role(shop)}' may not enqueue 1 jobs now: 300 in 3600 s"):
        way(shop, 1)
    shop.rollback()
    assert count(db, "jobs") + count(db, "waiting") == 300
    pgqueue.enqueue(db, TARGET)


def test_the_error_says_when_to_come_back_and_then_there_is_room(db: Conn, shop: Conn) -> None:
    pgqueue.set_role_limit(db, shop_role(shop), rate="10/s", burst=1)
    pgqueue.enqueue(shop, TARGET)
    shop.commit()
    with pytest.raises(pgqueue.EnqueueLimit) as refused:
        pgqueue.enqueue(shop, TARGET)
    shop.rollback()
    assert (refused.value.role, refused.value.limit) == (shop_role(shop), "rate")
    assert refused.value.retry_after is not None
    assert 0 < refused.value.retry_after <= 0.1

    def again() -> bool:
        try:
            pgqueue.enqueue(shop, TARGET)
        except pgqueue.EnqueueLimit:
            shop.rollback()
            return False
        shop.commit()
        return True

    wait_until(again)


def test_a_burst_is_what_may_come_at_once_and_more_never_may(db: Conn, shop: Conn) -> None:
    pgqueue.set_role_limit(db, shop_role(shop), rate="1/h", burst=20)
    with pytest.raises(pgqueue.EnqueueLimit, match="enqueue at most 20 at once") as refused:
        many(shop, 21)
    assert refused.value.retry_after is None
    shop.rollback()
    many(shop, 20)
    with pytest.raises(pgqueue.EnqueueLimit, match=r"enqueue again in 3[56]\d\d"):
        many(shop, 1)


def test_what_is_refused_uses_up_nothing_and_what_is_rolled_back_does(db: Conn, shop: Conn) -> None:
    pgqueue.set_role_limit(db, shop_role(shop), rate="5/h", max_args=100)
    for _ in range(3):
        with pytest.raises(pgqueue.EnqueueLimit):
            many(shop, 6)
        shop.rollback()
        with pytest.raises(pgqueue.EnqueueLimit):
            pgqueue.enqueue(shop, TARGET, ["x" * 100])
        shop.rollback()
    many(shop, 3)
    shop.rollback()
    with pytest.raises(pgqueue.EnqueueLimit):
        many(shop, 3)
    shop.rollback()
    many(shop, 2)


def test_nobody_waits_for_the_commit_of_another_of_the_same_role(db: Conn, shop: Conn, connect: Connect) -> None:
    pgqueue.set_role_limit(db, shop_role(shop), rate="100/h")
    other = connect(autocommit=True)
    other.execute(sql.SQL("set role {}").format(sql.Identifier(shop_role(shop))))
    other.execute("set lock_timeout = '1s'")
    pgqueue.enqueue(shop, TARGET)
    pgqueue.enqueue(other, TARGET)
    with pytest.raises(pgqueue.EnqueueLimit):
        many(other, 99)


def test_members_of_a_role_share_its_limit_and_superusers_are_none(db: Conn, shop: Conn) -> None:
    group = sql.Identifier(f"group_of_{shop.info.dbname}")
    db.execute(sql.SQL("create role {}").format(group))
    try:
        pgqueue.set_role_limit(db, f"group_of_{shop.info.dbname}", rate="2/h")
        many(shop, 3)
        shop.rollback()
        db.execute(sql.SQL("grant {} to {}").format(group, sql.Identifier(shop_role(shop))))
        with pytest.raises(pgqueue.EnqueueLimit):
            many(shop, 3)
        many(db, 3)
    finally:
        shop.rollback()
        db.execute(sql.SQL("drop role {}").format(group))


@pytest.mark.parametrize(
    "large",
    [
        {"args": ["x" * 1000]},
        {"labels": {"note": "x" * 1000}},
        {"on_success": NewJob(TARGET, {"note": "x" * 1000})},
    ],
    ids=["arguments", "labels", "follow-ups"],
)
def test_a_job_says_no_more_than_its_role_may(db: Conn, shop: Conn, large: dict[str, Any]) -> None:
    pgqueue.set_role_limit(db, shop_role(shop), max_args=1000)
    with pytest.raises(pgqueue.EnqueueLimit, match="pass its id") as refused:
        pgqueue.enqueue(shop, TARGET, **large)
    assert refused.value.limit == "max_args"
    shop.rollback()
    pgqueue.enqueue(shop, TARGET, ["x" * 900])
    pgqueue.enqueue(db, TARGET, **large)


def test_what_a_job_says_grows_by_no_update_either(db: Conn, shop: Conn) -> None:
    pgqueue.set_role_limit(db, shop_role(shop), max_args=1000)
    job = pgqueue.enqueue(shop, TARGET, unique_key="k")
    shop.commit()
    for grow in (
        lambda: pgqueue.enqueue(shop, TARGET, ["x" * 1000], unique_key="k", on_conflict="replace"),
        lambda: shop.execute("update pgqueue.jobs set args = to_json(repeat('x', 1000)) where id = %s", [job.id]),
    ):
        with pytest.raises(REFUSED):
            grow()
        shop.rollback()
    (held,) = claim(db, enlist(db))
    settle(db, held)


def test_a_role_brings_no_new_queue_where_there_are_enough(db: Conn, shop: Conn) -> None:
    pgqueue.set_role_limit(db, shop_role(shop), max_queues=3)
    for queue in ("a", "b", "c"):
        pgqueue.enqueue(shop, TARGET, queue=queue, **({"limit_key": "k"} if queue == "b" else {}))
    for queue in ("a", "b", "c"):
        many(shop, 300, queue=queue)
    shop.commit()
    with pytest.raises(pgqueue.EnqueueLimit, match="into the new queue 'd' while jobs wait in 3 queues"):
        pgqueue.enqueue(shop, TARGET, queue="d")
    shop.rollback()
    with pytest.raises(pgqueue.EnqueueLimit):
        pgqueue.enqueue_many(shop, [NewJob(TARGET, queue=f"q{n % 100}") for n in range(300)])
    shop.rollback()
    db.execute("delete from pgqueue.jobs where queue = 'c'")
    pgqueue.enqueue(shop, TARGET, queue="d")


def test_queues_without_a_size_of_their_own_hold_as_many_as_the_role_may(db: Conn, shop: Conn) -> None:
    pgqueue.set_role_limit(db, shop_role(shop), max_size=200)
    many(shop, 200, queue="a")
    shop.commit()
    # The table is large enough to look.
    many(db, 400, queue="b")
    with pytest.raises(pgqueue.QueueFull, match="the queue 'a' is full: it holds 200 jobs") as full:
        pgqueue.enqueue(shop, TARGET, queue="a", limit_key="k")
    assert full.value.queue == "a"
    shop.rollback()
    with pytest.raises(pgqueue.QueueFull):
        many(shop, 201, queue="c")
    shop.rollback()
    pgqueue.enqueue(db, TARGET, queue="a")
    pgqueue.set_max_size(db, "a", 1000)
    pgqueue.enqueue(shop, TARGET, queue="a")


def test_a_limit_of_all_is_of_every_role(db: Conn, shop: Conn) -> None:
    pgqueue.set_role_limit(db, "*", max_args=1000)
    pgqueue.set_role_limit(db, shop_role(shop), max_args=2000)
    for conn in (db, shop):
        with pytest.raises(pgqueue.EnqueueLimit, match="no role may enqueue a job of more than 1000 bytes"):
            pgqueue.enqueue(conn, TARGET, ["x" * 1500])
    shop.rollback()
    with pytest.raises(pgqueue.OptionError, match="a rate is of one role"):
        pgqueue.set_role_limit(db, "*", rate="1/s")


def test_a_function_with_other_rights_does_not_change_whose_limit_it_is(db: Conn, shop: Conn) -> None:
    db.execute(
        "create function public.send() returns void language sql security definer"
        " as $$ select pgqueue.enqueue('a:b') $$"
    )
    pgqueue.set_role_limit(db, shop_role(shop), rate="1/h")
    shop.execute("select public.send()")
    with pytest.raises(psycopg.errors.ConfigurationLimitExceeded):
        shop.execute("select public.send()")


def test_a_producer_cannot_lift_its_limit(db: Conn, shop: Conn) -> None:
    pgqueue.set_role_limit(db, shop_role(shop), rate="1/h")
    pgqueue.enqueue(shop, TARGET)
    shop.commit()
    bucket = f"rate_{db.execute('select md5(%s)', [shop_role(shop)]).fetchone()[0]}"  # type: ignore[index]
    for attempt in (
        f"select setval('pgqueue.{bucket}', 1)",
        f"select pgqueue.set_role_limit('{shop_role(shop)}', rate => 'none')",
        f"select pgqueue.remove_role_limit('{shop_role(shop)}')",
        "delete from pgqueue.role_limits",
        "alter table pgqueue.jobs disable trigger jobs_role_limits",
        "set session_replication_role = replica",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            shop.execute(attempt)
        shop.rollback()


def triggers(conn: Conn) -> int:
    row = conn.execute("select count(*) from pg_trigger where not tgisinternal").fetchone()
    assert row is not None
    return int(row[0])


def test_without_limits_there_is_no_trigger_and_no_sequence(db: Conn, shop: Conn) -> None:
    before, sequences = triggers(db), count(db, "role_limits")
    pgqueue.set_role_limit(db, shop_role(shop), rate="1/h")
    pgqueue.set_role_limit(db, "*", max_args=10)
    assert triggers(db) == before + 3
    assert pgqueue.remove_role_limit(db, "*")
    assert not pgqueue.remove_role_limit(db, "*")
    assert not pgqueue.set_role_limit(db, shop_role(shop), rate="none", max_args=10)
    assert db.execute("select relname from pg_class where relkind = 'S' and relname like 'rate%'").fetchall() == []
    assert pgqueue.remove_role_limit(db, shop_role(shop))
    assert (triggers(db), count(db, "role_limits")) == (before, sequences)
    many(shop, 3)


def test_what_is_not_said_stays(db: Conn, shop: Conn) -> None:
    role = shop_role(shop)
    pgqueue.set_role_limit(db, role, rate="10/s", burst=20, max_args=1000)
    pgqueue.set_role_limit(db, role, max_queues=5)
    pgqueue.set_role_limit(db, role, burst=0)
    row = db.execute("select jobs, period, burst, max_queues, max_size, max_args from pgqueue.role_limits").fetchone()
    assert row == (10, 1.0, None, 5, None, 1000)


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ("'nobody_at_all', max_args => 1", "there is no role 'nobody_at_all'"),
        ("'', max_args => 1", "a role has a name"),
        ("current_user, burst => 5", "burst 5 has no rate to be of"),
        ("current_user, rate => '5'", "rate must read like"),
        ("current_user, rate => '1/d', burst => 100", "more than 31 days"),
        ("current_user, max_queues => -1", "max_queues must be"),
    ],
)
def test_a_limit_that_cannot_be_is_refused(conn: Conn, said: str, fault: str) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match=fault):
        conn.execute(f"select pgqueue.set_role_limit({said})")


def test_who_sets_the_first_limit_beside_an_open_transaction_is_told(db: Conn, conn: Conn) -> None:
    enqueue(conn)
    with pytest.raises(psycopg.errors.LockNotAvailable, match="open for a second"):
        pgqueue.set_role_limit(db, "*", max_args=10)
