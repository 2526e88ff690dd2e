"""Queues that hold so many jobs at most: who enqueues into a full one is told, or the oldest give way."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from psycopg import sql

import pgqueue
from pgqueue import NewJob
from tests.conftest import Connect
from tests.factories import TARGET, Conn, claim, enlist
from tests.limits import holds
from tests.waiting import wait_until

Way = Callable[[Conn, int], object]


def held(conn: Conn, queue: str = "mail") -> int:
    row = conn.execute("select count(*) from pgqueue.jobs where queue = %s", [queue]).fetchone()
    assert row is not None
    return int(row[0])


def numbers(conn: Conn, queue: str = "mail") -> list[int]:
    """What the jobs of a queue have as their argument, in order."""
    found = conn.execute("select (args ->> 0)::int from pgqueue.jobs where queue = %s order by 1", [queue])
    return [row[0] for row in found]


def one(conn: Conn, number: int = 0, **options: Any) -> pgqueue.Enqueued:
    return pgqueue.enqueue(conn, TARGET, [number], queue="mail", **options)


def many(conn: Conn, first: int, count: int) -> None:
    pgqueue.enqueue_many(conn, [NewJob(TARGET, [number], queue="mail") for number in range(first, first + count)])


def one_by_one(conn: Conn, count: int) -> None:
    for number in range(count):
        one(conn, number)


WAYS: dict[str, Way] = {
    "one by one": one_by_one,
    "in one statement": lambda conn, count: pgqueue.enqueue_many(
        conn, [NewJob(TARGET, [number], queue="mail", delay=0) for number in range(count)]
    ),
    "by COPY": lambda conn, count: pgqueue.enqueue_many(
        conn, [NewJob(TARGET, [number], queue="mail") for number in range(count)] * 100
    ),
    "with unique keys": lambda conn, count: pgqueue.enqueue_many(
        conn, [NewJob(TARGET, [number], queue="mail", unique_key=f"k{number}") for number in range(count)]
    ),
    "in SQL": lambda conn, count: conn.execute(
        "select pgqueue.enqueue('a:b', '[1]', queue => 'mail') from generate_series(1, %s)", [count]
    ),
    "by hand": lambda conn, count: conn.execute(
        "insert into pgqueue.jobs (id, target, queue) select pgqueue.uuid7(), 'a:b', 'mail'"
        " from generate_series(1, %s)",
        [count],
    ),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_full_queue_refuses_jobs_in_the_transaction_of_who_enqueues(db: Conn, way: Way) -> None:
    pgqueue.set_max_size(db, "mail", 5)
    with pytest.raises((pgqueue.QueueFull, psycopg.errors.ConfigurationLimitExceeded)) as full, db.transaction():
        way(db, 6)
    assert "the queue 'mail' is full: it holds 5 jobs" in str(full.value)
    assert held(db) == 0
    with db.transaction():
        one_by_one(db, 5)
    with pytest.raises((pgqueue.QueueFull, psycopg.errors.ConfigurationLimitExceeded)):
        way(db, 1)
    assert held(db) == 5
    pgqueue.enqueue(db, TARGET, queue="other")


def test_whose_queue_is_full_says_the_error(db: Conn) -> None:
    pgqueue.set_max_size(db, "mail", 1)
    one(db)
    with pytest.raises(pgqueue.QueueFull, match="enqueue it again when workers have caught up") as full:
        one(db)
    assert full.value.queue == "mail"


def refused(conn: Conn) -> bool:
    try:
        one(conn)
    except pgqueue.QueueFull:
        return True
    return False


def test_a_full_queue_takes_jobs_again_when_some_have_ended(db: Conn) -> None:
    pgqueue.set_max_size(db, "mail", 3)
    jobs = [one(db, number) for number in range(3)]
    claim(db, enlist(db), 1, "mail")
    with pytest.raises(pgqueue.QueueFull):
        one(db, 3)
    pgqueue.cancel(db, jobs[1])
    wait_until(lambda: not refused(db))
    with pytest.raises(pgqueue.QueueFull):
        one(db, 4)


def test_what_is_rolled_back_takes_no_room(db: Conn, conn: Conn) -> None:
    pgqueue.set_max_size(db, "mail", 3)
    for _ in range(3):
        many(conn, 0, 3)
        conn.rollback()
    many(db, 0, 3)
    assert held(db) == 3


def test_what_others_have_not_committed_is_not_counted(db: Conn, conn: Conn) -> None:
    pgqueue.set_max_size(db, "mail", 3)
    db.execute("select setval('pgqueue.room_' || md5('mail'), -1)")
    many(conn, 0, 3)
    db.execute("select setval('pgqueue.room_' || md5('mail'), -1)")
    many(db, 0, 3)
    conn.commit()
    assert held(db) == 6
    with pytest.raises(pgqueue.QueueFull):
        one(db)


def test_many_who_enqueue_at_once_exceed_it_by_no_more_than_they_are(db: Conn, connect: Connect) -> None:
    pgqueue.set_max_size(db, "mail", 200)

    def fill(conn: Conn) -> None:
        while not refused(conn):
            pass

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(fill, [connect(autocommit=True) for _ in range(4)]))
    assert 200 <= held(db) <= 200 + 3


@pytest.fixture
def counts(db: Conn) -> Callable[[], int]:
    """How often the jobs of a queue have been counted."""
    db.execute("set track_functions = 'pl'")

    def counts() -> int:
        db.execute("select pg_stat_clear_snapshot(), pg_sleep(0)")
        row = db.execute(
            "select coalesce(pg_stat_get_xact_function_calls(oid), 0) + coalesce(pg_stat_get_function_calls(oid), 0)"
            " from pg_proc where proname = 'make_room'"
        ).fetchone()
        assert row is not None
        return int(row[0])

    return counts


def test_jobs_are_counted_once_for_all_that_may_come(db: Conn, counts: Callable[[], int]) -> None:
    pgqueue.set_max_size(db, "mail", 1000)
    with db.transaction():
        one_by_one(db, 200)
        many(db, 0, 500)
        assert counts() <= 2


def test_a_batch_into_a_queue_that_is_almost_full_is_counted_once(db: Conn, counts: Callable[[], int]) -> None:
    pgqueue.set_max_size(db, "mail", 1000)
    many(db, 0, 400)
    db.execute("select setval('pgqueue.room_' || md5('mail'), 1)")
    with db.transaction():
        before = counts()
        many(db, 0, 600)
        assert counts() - before <= 2
    assert held(db) == 1000


def test_a_queue_that_was_found_full_is_not_counted_for_each_who_is_refused(
    db: Conn, counts: Callable[[], int]
) -> None:
    pgqueue.set_max_size(db, "mail", 20_000)
    many(db, 0, 20_000)
    with pytest.raises(pgqueue.QueueFull):
        one(db)
    found = db.execute("select relname from pg_class where relname like 'room_%'").fetchone()
    assert found is not None
    value = f"select last_value from pgqueue.{found[0]}"
    first = db.execute(value).fetchone()
    with pytest.raises(pgqueue.QueueFull):
        one(db)
    second = db.execute(value).fetchone()
    assert first is not None
    assert second is not None
    # Two more have asked, and nobody has set a time anew.
    assert 1 <= first[0] - second[0] <= 2


def test_a_size_that_changes_holds_from_the_commit_on(db: Conn) -> None:
    pgqueue.set_max_size(db, "mail", 10)
    one_by_one(db, 2)
    pgqueue.set_max_size(db, "mail", 3)
    one(db)
    with pytest.raises(pgqueue.QueueFull):
        one(db)
    pgqueue.set_max_size(db, "mail", 4)
    one(db)
    with pytest.raises(pgqueue.QueueFull, match="it holds 4 jobs"):
        one(db)
    pgqueue.set_max_size(db, "mail", 0)
    one_by_one(db, 5)
    assert held(db) == 9


def test_a_queue_without_a_size_has_no_trigger(db: Conn) -> None:
    def triggers() -> int:
        row = db.execute("select count(*) from pg_trigger where tgrelid = 'pgqueue.jobs'::regclass").fetchone()
        assert row is not None
        return int(row[0])

    before = triggers()
    pgqueue.set_max_size(db, "mail", 10)
    pgqueue.set_max_size(db, "mail", 20)
    assert triggers() == before + 1
    pgqueue.set_max_size(db, "mail", None)
    assert triggers() == before
    assert db.execute("select relname from pg_class where relkind = 'S' and relname like 'room%'").fetchall() == []


def test_who_sets_a_size_beside_an_open_transaction_is_told(db: Conn, conn: Conn) -> None:
    one(conn)
    with pytest.raises(psycopg.errors.LockNotAvailable, match="open for a second"):
        pgqueue.set_max_size(db, "mail", 1)
    conn.rollback()
    pgqueue.set_max_size(db, "mail", 1)


def dropped(conn: Conn) -> list[int]:
    found = conn.execute(
        "select (args ->> 0)::int from pgqueue.job where state = 'cancelled' and reason like 'dropped: %' order by 1"
    )
    return [row[0] for row in found]


def test_the_oldest_give_way_and_are_kept_in_history(db: Conn) -> None:
    pgqueue.set_max_size(db, "mail", 5, on_full="drop_oldest")
    jobs = [one(db, number) for number in range(7)]
    assert numbers(db) == [2, 3, 4, 5, 6]
    assert dropped(db) == [0, 1]
    first = pgqueue.get_job(db, jobs[0])
    assert (first.state, first.reason) == (
        "cancelled",
        "dropped: it had waited longest when the queue held more than 5 jobs",
    )
    (attempt,) = pgqueue.attempts(db, jobs[0])
    assert (attempt.outcome, attempt.error_type, attempt.attempt) == ("cancelled", "QueueFull", 0)


def test_what_has_been_due_longest_gives_way_and_what_runs_does_not(db: Conn) -> None:
    one(db, 0, priority=9)
    claim(db, enlist(db), 1, "mail")
    one(db, 1, delay=3600)
    one(db, 2, priority=9)
    one(db, 3, priority=0)
    pgqueue.set_max_size(db, "mail", 3, on_full="drop_oldest")
    one(db, 4)
    assert numbers(db) == [0, 1, 4]


def test_a_batch_larger_than_the_queue_keeps_its_newest(db: Conn) -> None:
    pgqueue.set_max_size(db, "mail", 100, on_full="drop_oldest")
    many(db, 0, 500)
    assert numbers(db) == list(range(400, 500))
    assert len(dropped(db)) == 400


def test_a_large_queue_drops_a_hundredth_at_once(db: Conn, counts: Callable[[], int]) -> None:
    pgqueue.set_max_size(db, "mail", 1000, on_full="drop_oldest")
    many(db, 0, 1000)
    with db.transaction():
        before = counts()
        sizes = []
        for number in range(1000, 1100):
            one(db, number)
            sizes.append(held(db))
        assert counts() - before <= 12
    assert min(sizes) >= 1000
    assert max(sizes) <= 1010
    assert numbers(db)[-1] == 1099
    assert len(dropped(db)) == 1100 - held(db)


def test_two_who_drop_at_once_drop_no_more_than_they_add(db: Conn, conn: Conn, connect: Connect) -> None:
    pgqueue.set_max_size(db, "mail", 5, on_full="drop_oldest")
    many(db, 0, 5)
    other = connect()
    one(conn, 5)
    one(other, 6)
    conn.commit()
    other.commit()
    # The second took the first's for its own; the next to come counts again.
    assert numbers(db) == [1, 2, 3, 4, 5, 6]
    one(db, 7)
    assert numbers(db) == [3, 4, 5, 6, 7]


def test_a_drop_that_is_rolled_back_never_was(db: Conn, conn: Conn) -> None:
    pgqueue.set_max_size(db, "mail", 2, on_full="drop_oldest")
    many(db, 0, 2)
    many(conn, 2, 2)
    conn.rollback()
    assert (numbers(db), dropped(db)) == ([0, 1], [])


def test_who_may_only_enqueue_is_refused_and_drops_as_others(db: Conn, conn: Conn) -> None:
    role = sql.Identifier(f"producer_of_{conn.info.dbname}")
    db.execute(sql.SQL("create role {}").format(role))
    try:
        db.execute(sql.SQL("grant usage on schema pgqueue to {}").format(role))
        db.execute(sql.SQL("grant select, insert on pgqueue.jobs to {}").format(role))
        pgqueue.set_max_size(db, "mail", 2, on_full="drop_oldest")
        conn.execute(sql.SQL("set role {}").format(role))
        for number in range(3):
            one(conn, number)
        conn.commit()
        assert numbers(db) == [1, 2]
        pgqueue.set_max_size(db, "mail", 2, on_full="raise")
        with pytest.raises(pgqueue.QueueFull):
            one(conn)
        conn.rollback()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            pgqueue.set_max_size(conn, "mail", 9)
        conn.rollback()
    finally:
        conn.execute("reset role")
        db.execute(sql.SQL("drop owned by {}").format(role))
        db.execute(sql.SQL("drop role {}").format(role))


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ("null, 5", "queue must have 1 to 500 characters, got null"),
        ("'mail', -1", "max_size must be from 1 to 100000000, got -1"),
        ("'mail', 5, 'drop'", "on_full must be raise or drop_oldest, got 'drop'"),
        ("'mail', null, 'raise'", "on_full is of a queue that has a max_size"),
    ],
)
def test_a_size_that_cannot_be_is_refused(conn: Conn, said: str, fault: str) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match=fault):
        conn.execute(f"select pgqueue.set_max_size({said})")


def test_jobs_with_keys_count_and_give_way_as_others(db: Conn) -> None:
    pgqueue.set_max_size(db, "mail", 4)
    one(db, 0, limit_key="a")
    one(db, 1, limit_key="b", delay=3600)
    one(db, 2)
    one(db, 3, limit_key="a")
    with pytest.raises(pgqueue.QueueFull):
        one(db, 4, limit_key="c")
    pgqueue.set_max_size(db, "mail", 4, on_full="drop_oldest")
    many(db, 4, 3)
    assert numbers(db) == [1, 4, 5, 6]
    one(db, 7, limit_key="a")
    assert numbers(db) == [1, 5, 6, 7]


def test_a_dropped_job_that_holds_its_key_while_it_waits_lets_go_of_it(db: Conn) -> None:
    pgqueue.set_limit(db, "key", "k", ordered=True)
    waiting = one(db, 0, limit_key="k")
    # As one that waits for its retry.
    db.execute("update pgqueue.jobs set hold = 7 where id = %s", [waiting.id])
    db.execute("insert into pgqueue.holds (name, seq, job_id) values ('k:k', 7, %s)", [waiting.id])
    pgqueue.set_max_size(db, "mail", 1, on_full="drop_oldest")
    one(db, 1)
    assert (numbers(db), holds(db)) == ([1], {})
