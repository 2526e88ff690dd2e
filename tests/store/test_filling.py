"""What new jobs do not say of where they wait: a queue's priority, a target's route."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import errors, sql

import pgqueue
from pgqueue.job import NewJob
from pgqueue.store.bulk import FEWEST
from tests.conftest import Connect
from tests.factories import Conn

NAMED = "video.encode:run"


def priorities(conn: Conn) -> dict[str, set[int]]:
    rows = conn.execute("select queue, array_agg(distinct priority::int) from pgqueue.jobs group by queue").fetchall()
    return {queue: set(found) for queue, found in rows}


def one_by_one(conn: Conn, new_jobs: list[NewJob]) -> None:
    for new in new_jobs:
        pgqueue.enqueue(conn, new.target, new.args, **new.said())


def with_unique_keys(conn: Conn, new_jobs: list[NewJob]) -> None:
    for new in new_jobs:
        pgqueue.enqueue(conn, new.target, new.args, unique_key=str(uuid4()), **new.said())


def coalescing(conn: Conn, new_jobs: list[NewJob]) -> None:
    for new in new_jobs:
        pgqueue.enqueue(conn, new.target, new.args, unique_key=str(uuid4()), unique_until="start", **new.said())


def in_a_batch(conn: Conn, new_jobs: list[NewJob]) -> None:
    pgqueue.enqueue_many(conn, new_jobs)


def by_copy(conn: Conn, new_jobs: list[NewJob]) -> None:
    pgqueue.enqueue_many(conn, new_jobs * FEWEST)


def by_copies_alike(conn: Conn, new_jobs: list[NewJob]) -> None:
    for new in new_jobs:
        pgqueue.enqueue_many(conn, [new] * FEWEST)


def by_sql(conn: Conn, new_jobs: list[NewJob]) -> None:
    for new in new_jobs:
        conn.execute("select pgqueue.enqueue(%s, queue => %s, priority => %s)", [new.name, new.queue, new.priority])


def by_hand(conn: Conn, new_jobs: list[NewJob]) -> None:
    for new in new_jobs:
        said = {"target": new.name, **new.said()}
        columns = sql.SQL(", ").join(map(sql.Identifier, said))
        values = sql.SQL(", ").join(sql.Placeholder() * len(said))
        conn.execute(
            sql.SQL("insert into pgqueue.jobs (id, {}) values (pgqueue.uuid7(), {})").format(columns, values),
            list(said.values()),
        )


Way = Callable[[Conn, list[NewJob]], None]
WAYS: list[Way] = [
    one_by_one,
    with_unique_keys,
    coalescing,
    in_a_batch,
    by_copy,
    by_copies_alike,
    by_sql,
    by_hand,
]


@pytest.fixture(params=WAYS, ids=lambda way: way.__name__)
def way(request: pytest.FixtureRequest) -> Way:
    return request.param  # type: ignore[no-any-return]


def test_a_queues_priority_is_that_of_its_jobs_which_say_none(db: Conn, way: Way) -> None:
    pgqueue.set_queue(db, "mail", priority=7)
    way(db, [NewJob(NAMED, queue="mail"), NewJob(NAMED, queue="web"), NewJob(NAMED)])
    assert priorities(db) == {"mail": {7}, "web": {5}, "default": {5}}
    db.execute("delete from pgqueue.jobs")
    # Also one that is everybody's default.
    way(db, [NewJob(NAMED, queue="mail", priority=5), NewJob(NAMED, queue="mail", priority=0)])
    assert priorities(db) == {"mail": {0, 5}}
    pgqueue.unset_queue(db, "mail")
    db.execute("delete from pgqueue.jobs")
    way(db, [NewJob(NAMED, queue="mail"), NewJob(NAMED)])
    assert priorities(db) == {"mail": {5}, "default": {5}}


def test_the_queue_default_may_have_a_priority_too(db: Conn, way: Way) -> None:
    pgqueue.set_queue(db, "default", priority=2)
    way(db, [NewJob(NAMED), NewJob(NAMED, priority=5)])
    assert priorities(db) == {"default": {2, 5}}


def test_a_route_names_the_queue_of_jobs_which_say_none(db: Conn, way: Way) -> None:
    db.execute("select pgqueue.set_route('video.*', 'media')")
    db.execute("select pgqueue.set_route('video.encode:*', 'encoding')")
    pgqueue.set_queue(db, "encoding", priority=1)
    way(db, [NewJob(NAMED), NewJob("video.cut:run"), NewJob("audio:run"), NewJob(NAMED, queue="mail")])
    assert priorities(db) == {"encoding": {1}, "media": {5}, "default": {5}, "mail": {5}}
    db.execute("delete from pgqueue.jobs")
    db.execute("select pgqueue.remove_route('video.encode:*'), pgqueue.remove_route('video.*')")
    way(db, [NewJob(NAMED)])
    assert priorities(db) == {"default": {5}}


def test_while_there_is_no_such_rule_an_insert_pays_for_none(db: Conn) -> None:
    def paid() -> tuple[Any, ...]:
        row = db.execute(
            "select count(*) filter (where tgname = 'jobs_filled'), (select array_agg(pg_get_expr(adbin, adrelid))"
            " from pg_attrdef join pg_attribute as a on a.attrelid = adrelid and a.attnum = adnum"
            " where adrelid = 'pgqueue.jobs'::regclass and a.attname in ('queue', 'priority'))"
            " from pg_trigger where tgrelid = 'pgqueue.jobs'::regclass"
        ).fetchone()
        assert row is not None
        return row[0], sorted(row[1] or ())

    unused = paid()
    assert unused == (0, ["'default'::text", "5"])
    # What is no rule of where a job waits.
    pgqueue.set_queue(db, "mail", timeout=60, max_attempts=5, ageing=60)
    assert paid() == unused
    pgqueue.set_queue(db, "mail", priority=7)
    db.execute("select pgqueue.set_route('video.*', 'media')")
    assert paid() == (1, [])
    pgqueue.unset_queue(db, "mail", "priority")
    assert paid() == (1, [])
    db.execute("select pgqueue.remove_route('video.*')")
    assert paid() == unused


@pytest.mark.parametrize("way", WAYS[:-1], ids=lambda way: way.__name__)
def test_idle_workers_of_the_queue_that_a_route_names_are_told(db: Conn, connect: Connect, way: Way) -> None:
    db.execute("select pgqueue.set_route('video.*', 'media')")
    listener = connect(autocommit=True)
    listener.execute("listen pgqueue")
    listener.execute("select pg_advisory_lock_shared(7701, hashtext('media'))")
    way(db, [NewJob(NAMED)])
    assert {each.payload for each in listener.notifies(timeout=5, stop_after=1)} == {"media"}


def test_async_copies_are_filled_in_too(db: Conn, dsn: str) -> None:
    pgqueue.set_queue(db, "mail", priority=7)

    async def enqueue() -> None:
        async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as conn:
            new_jobs = [NewJob(NAMED, queue="mail"), NewJob(NAMED, priority=1)]
            await pgqueue.enqueue_many(conn, new_jobs * FEWEST)

    asyncio.run(enqueue())
    assert priorities(db) == {"mail": {7}, "default": {1}}


def test_who_counts_on_the_filling_keeps_it_until_its_commit(db: Conn, connect: Connect) -> None:
    pgqueue.set_queue(db, "mail", priority=7)
    producer = connect()
    assert producer.execute("select pgqueue.is_filled()").fetchone() == (True,)
    with pytest.raises(errors.LockNotAvailable):
        pgqueue.unset_queue(db, "mail")
    unsaid = "insert into pgqueue.jobs (id, target, queue, priority) values (pgqueue.uuid7(), 'a:b', null, null)"
    producer.execute(unsaid)
    producer.commit()
    assert priorities(db) == {"default": {5}}
    pgqueue.unset_queue(db, "mail")


@pytest.fixture
def enqueuer(db: Conn) -> Iterator[str]:
    """A role that may enqueue, and read nothing."""
    role = f"enqueuer_{uuid4().hex}"
    db.execute(f"create role {role}")
    db.execute(f"grant usage on schema pgqueue to {role}")
    columns = "id, queue, target, args, priority, run_at, expires_at, timeout, max_attempts, unique_key, limit_key"
    db.execute(f"grant insert ({columns}, store_result, labels, start_key, cost) on pgqueue.jobs to {role}")
    yield role
    db.execute(f"drop owned by {role}; drop role {role}")


def test_who_may_only_enqueue_has_its_jobs_filled_in(db: Conn, connect: Connect, enqueuer: str) -> None:
    pgqueue.set_queue(db, "media", priority=7)
    db.execute("select pgqueue.set_route('video.*', 'media')")
    conn = connect(autocommit=True)
    conn.execute(f"set role {enqueuer}")
    # Its key would be looked for in `jobs`, which this role may not read.
    for each in (by_copy, by_copies_alike, in_a_batch):
        each(conn, [NewJob(NAMED), NewJob(NAMED, queue="web")])
    assert priorities(db) == {"media": {7}, "web": {5}}


@pytest.mark.parametrize(
    ("call", "fault"),
    [
        ("set_queue('mail')", "nothing is said of queue 'mail'"),
        ("set_queue('', priority => 1)", "queue must have 1 to 500 characters"),
        ("set_queue('mail', priority => 10)", "priority must be from 0 to 9, got 10"),
        ("set_queue('mail', timeout => '0')", "timeout must be more than 0"),
        ("set_queue('mail', max_attempts => 0)", "max_attempts must be from 1 to 32767, got 0"),
        ("set_queue('mail', ageing => '-1 s')", "ageing must be more than 0"),
        ("unset_queue('mail', '{colour}')", "a queue says timeout, max_attempts, priority, ageing or allow"),
        ("unset_queue('mail', null)", "a queue says timeout, max_attempts, priority, ageing or allow"),
        ("set_route('video', 'media')", "a route is of a target 'module:function', or of a glob of them, got 'video'"),
        ("set_route('video.*', '')", "queue must have 1 to 500 characters"),
    ],
)
def test_wrong_settings_and_routes_are_refused(db: Conn, call: str, fault: str) -> None:
    with pytest.raises(errors.InvalidParameterValue, match=fault):
        db.execute(f"select pgqueue.{call}")


def test_what_is_not_given_stays_as_it_is(db: Conn) -> None:
    pgqueue.set_queue(db, "mail", timeout=60, priority=7)
    pgqueue.set_queue(db, "mail", max_attempts=5, ageing=30)
    sql_ = "select timeout, max_attempts, priority, ageing from pgqueue.queues where name = 'mail'"
    assert db.execute(sql_).fetchone() == (60, 5, 7, 30)
    pgqueue.unset_queue(db, "mail", "timeout", "ageing")
    assert db.execute(sql_).fetchone() == (None, 5, 7, None)
    pgqueue.unset_queue(db, "mail")
    assert db.execute(sql_).fetchone() == (None,) * 4
