"""feed(): each item of an iterator becomes one job, in order, and so many wait at most."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

import pgqueue
from tests.feeding import sources
from tests.feeding.conftest import SOURCES, TAKE, Feeding, Trough
from tests.waiting import wait_until

Feed = Callable[..., pgqueue.Fed]


@pytest.mark.parametrize("source", ["plain", "NUMBERS", "awaited", sources.plain, [*range(25)], iter(range(25))])
def test_each_item_becomes_one_job(feed: Feed, trough: Trough, source: Any) -> None:
    fed = feed(source, batch=10)
    assert (fed.items, fed.fed, fed.already) == (25, 25, False)
    assert trough.numbers() == list(range(25))


def test_jobs_have_the_options_of_their_task_of_the_feed_and_of_their_own(
    feed: Feed, conn: psycopg.Connection[Any]
) -> None:
    feed("chosen", to=sources.take, max_attempts=3)
    rows = conn.execute("select queue, priority, max_attempts, args::text, labels from pgqueue.jobs").fetchall()
    assert sorted(rows, key=str) == [
        ("default", 5, 3, '["Ann"]', {"kind": "note"}),
        ("fed", 7, 3, "[2]", None),
        ("fed", 7, 3, "[4]", None),
        ("fed", 7, 3, '{"number":3,"colour":"red"}', None),
        ("other", 7, 3, "[1]", None),
    ]


def test_a_feed_is_named_after_its_iterator_and_its_task(feed: Feed, trough: Trough) -> None:
    assert feed("plain", name=None).name == f"{SOURCES}:plain/{TAKE}"
    with pytest.raises(pgqueue.UsageError, match="needs one to go on by"):
        feed([1], name=None)


def test_what_is_finished_stays_so_until_asked_again(feed: Feed, trough: Trough) -> None:
    feed("plain")
    assert feed("plain") == pgqueue.Fed("test", 25, 0, None, already=True)
    assert feed("plain", again=True).fed == 25
    assert trough.numbers() == sorted([*range(25), *range(25)])


def test_no_more_than_the_buffer_wait(feeding: Feeding, trough: Trough) -> None:
    fed = feeding("numbers", buffer=40, batch=15)
    trough.await_items("test", 30)
    eaten, seen = 0, 0
    while not fed.done() and eaten < 400:
        waiting = len(trough.numbers())
        seen = max(seen, waiting)
        if waiting >= 30:
            trough.eat(20)
            eaten += 20
    assert seen <= 40
    wait_until(lambda: trough.feed("test").waiting >= 30)
    assert trough.feed("test").state == "feeding"
    assert trough.numbers()[0] == eaten


def test_a_full_buffer_waits_for_the_oldest_jobs_alone(feeding: Feeding, trough: Trough) -> None:
    """Jobs that never end take their place, and no more: the others go on round them."""
    fed = feeding("numbers", buffer=10)
    trough.await_items("test", 1)
    sql = "delete from pgqueue.jobs where (args ->> 0)::int % 10 <> 0 and (args ->> 0)::int < 60"
    wait_until(lambda: trough.conn.execute(sql) and trough.feed("test").items > 60, 30)
    assert not fed.done()
    assert trough.numbers()[:6] == [0, 10, 20, 30, 40, 50]
    assert trough.conn.execute("select sum(cardinality(ids)) <= 10 from pgqueue.feed_batches").fetchone() == (True,)


def test_items_of_a_slow_iterator_do_not_wait_for_a_batch(feed: Feed, trough: Trough) -> None:
    def slow() -> Iterator[int]:
        yield 1
        wait_until(lambda: trough.numbers() == [1])
        yield 2
        wait_until(lambda: trough.numbers() == [1, 2])

    feed(slow())
    assert trough.numbers() == [1, 2]


def test_what_an_iterator_gave_before_it_broke_stays(feed: Feed, trough: Trough) -> None:
    with pytest.raises(
        pgqueue.FeedFailed, match=r"after 10 items: .*raised LookupError: .*behind the cursor 9$"
    ) as told:
        feed("breaking")
    assert isinstance(told.value.__cause__, LookupError)
    assert "no page 10" in (told.value.traceback or "")
    assert "pgqueue/feeding" not in (told.value.traceback or "")
    assert trough.numbers() == list(range(10))
    found = trough.feed("test")
    assert (found.state, found.items, found.cursor) == ("failed", 10, 9)
    assert "LookupError" in (found.error or "")
    with pytest.raises(pgqueue.FeedFailed, match="after 10 items"):
        feed("breaking")
    assert trough.numbers() == list(range(10))


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("misfit", "item 2: .*missing a required argument: 'number'"),
        ("unsaid", r"item 2: args\[0\]: object is not JSON"),
        ("same", "'page 1' twice; each item needs one of its own"),
    ],
)
def test_what_no_job_can_be_is_told_with_its_number(feed: Feed, trough: Trough, source: str, said: str) -> None:
    with pytest.raises(pgqueue.FeedFailed, match=said):
        feed(source)
    assert trough.numbers() == [1]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("nosuch", "has no nosuch"),
        ("plains", "did you mean .*:plain"),
        ("MANY", "is a int, and cannot be iterated"),
        (lambda a, b: [], "calls it with a cursor alone"),
    ],
)
def test_what_cannot_be_iterated_is_refused(feed: Feed, trough: Trough, source: Any, said: str) -> None:
    with pytest.raises(pgqueue.UsageError, match=said):
        feed(source)


def test_an_iterator_with_a_cursor_that_yields_none_is_told_how(feed: Feed) -> None:
    with pytest.raises(pgqueue.FeedFailed, match="it yields pairs of cursor and arguments"):
        feed("bare")


def test_a_shorter_iterator_than_before_is_not_taken_for_the_same(feed: Feed, trough: Trough) -> None:
    def broken() -> Iterator[int]:
        yield from range(5)
        raise OSError("gone")

    with pytest.raises(pgqueue.FeedFailed):
        feed(broken())
    with pytest.raises(pgqueue.FeedFailed, match="gave 3 items, and 5 were fed before"):
        feed([0, 1, 2])


def test_one_option_for_all_jobs_that_must_differ_is_refused(feed: Feed) -> None:
    with pytest.raises(pgqueue.OptionError, match="unique_key would be the same for every job"):
        feed("plain", unique_key="k")


def test_unique_jobs_that_are_there_already_are_not_doubled(feed: Feed, trough: Trough) -> None:
    jobs = [pgqueue.NewJob(TAKE, [number % 3], unique_key=f"k{number % 3}") for number in range(9)]
    assert feed(jobs, batch=2).items == 9
    assert trough.numbers() == [0, 1, 2]


def test_a_queue_that_is_full_is_waited_for(feeding: Feeding, trough: Trough) -> None:
    told: list[str | None] = []
    pgqueue.set_max_size(trough.conn, "fed", 7)
    fed = feeding("plain", batch=10, on_progress=lambda progress: told.append(progress.trouble))
    for number in range(0, 25, 5):
        wait_until(lambda first=number: trough.numbers()[:1] == [first] and len(trough.numbers()) >= min(5, 25 - first))  # type: ignore[misc]
        assert len(trough.numbers()) <= 7
        trough.eat(5)
    assert fed.result(10).items == 25
    assert any("fed" in (each or "") for each in told)


def test_a_rate_of_the_role_is_waited_for(feed: Feed, trough: Trough) -> None:
    (role,) = trough.conn.execute("select current_user::text").fetchone() or [""]
    pgqueue.set_role_limit(trough.conn, role, rate="40/s", burst=5)
    told: list[pgqueue.FeedProgress] = []
    assert feed("plain", batch=10, on_progress=told.append).items == 25
    assert trough.numbers() == list(range(25))
    assert any("may not enqueue 10 jobs now" in (each.trouble or "") for each in told)


def test_what_the_role_may_never_enqueue_ends_the_feed(feed: Feed, trough: Trough) -> None:
    pgqueue.set_role_limit(trough.conn, "*", max_args=1)
    with pytest.raises(pgqueue.EnqueueLimit):
        feed("plain", batch=10)


def test_progress_is_told_after_each_batch(feed: Feed, trough: Trough) -> None:
    told: list[pgqueue.FeedProgress] = []
    feed("plain", batch=10, on_progress=told.append)
    assert [each.items for each in told] == [10, 20, 25]
    assert told[-1] == pgqueue.FeedProgress(25, 25, 25, 10_000)


def test_another_source_under_a_name_is_refused(feed: Feed, trough: Trough) -> None:
    feed("plain")
    with pytest.raises(pgqueue.UsageError, match=r"reads .*:plain, not .*:numbers"):
        feed("numbers")


def test_two_feeds_of_one_name_are_not_fed_at_once(feed: Feed, feeding: Feeding, trough: Trough) -> None:
    feeding("numbers", buffer=10)
    trough.await_items("test", 10)
    with pytest.raises(pgqueue.FeedBusy, match="is being fed by process"):
        feed("numbers")
    assert trough.numbers() == list(range(10))


def test_who_was_taken_over_enqueues_nothing_more(feeding: Feeding, trough: Trough) -> None:
    first = feeding("numbers", buffer=10)
    trough.await_items("test", 10)
    # Behind a pooler nobody holds a lock: the last who came feeds.
    trough.conn.execute("update pgqueue.feeds set feeder = 1")
    trough.eat(5)
    with pytest.raises(pgqueue.FeedBusy, match="taken over by another process, or removed"):
        first.result(10)
    assert trough.numbers() == list(range(5, 10))


def test_a_batch_is_in_the_queue_if_and_only_if_its_cursor_is(conn: psycopg.Connection[Any], feed: Feed) -> None:
    """At every moment, as a third sees it: jobs enqueued and items counted are the same number."""
    seen: list[tuple[int, int]] = []

    def look(_: pgqueue.FeedProgress) -> None:
        row = conn.execute("select (select count(*) from pgqueue.jobs), (select items from pgqueue.feeds)").fetchone()
        conn.commit()
        seen.append(row)  # type: ignore[arg-type]

    feed("numbers", batch=500, on_progress=look)
    assert len(seen) == sources.MANY / 500
    assert all(jobs == items for jobs, items in seen)


def test_a_feed_without_a_schema_says_what_to_do(databases: Any, server: Any, feed: Feed) -> None:
    with pytest.raises(pgqueue.SchemaError, match="pgqueue migrate"):
        feed("plain", dsn=server.dsn("postgres", tcp=True))
