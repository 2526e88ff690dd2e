"""Chores are bounded in time, and get on in a database that was left alone for long."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import psycopg
import pytest

from pgqueue.events import Event, Trouble
from pgqueue.store import execute, workers
from pgqueue.worker.upkeep.chores import Chores
from pgqueue.worker.upkeep.portion import Portion
from pgqueue.worker.upkeep.pruner import SOON, prune
from pgqueue.worker.upkeep.reaper import reap
from tests.conftest import Connect
from tests.factories import claim, count, enlist, expire, fill
from tests.waiting import wait_until

Conn = psycopg.Connection[tuple[object, ...]]


@pytest.fixture
def hasty(connect: Connect) -> Conn:
    """A connection of which no statement may take long, as a heartbeat's with a short lease."""
    conn = connect(autocommit=True)
    conn.execute("set statement_timeout = '300ms'")
    return conn


def make_history(conn: Conn, rows: int) -> None:
    conn.execute(
        "insert into pgqueue.attempts (job_id, claim, attempt, outcome, queue, target, finished_at)"
        " select pgqueue.uuid7_floor(now() - interval '40 days' + n * interval '1 ms'), 1, 1, 'succeeded', 'q', 'a:b',"
        " now() - interval '40 days' from generate_series(1, %s) as n",
        [rows],
    )


def slow_down(conn: Conn, table: str, move: str, seconds: float) -> None:
    """Let each row of a move take so long, as on a disk that has forgotten all of it."""
    conn.execute(
        "create function public.dawdle() returns trigger language plpgsql as"
        f" $$ begin perform pg_catalog.pg_sleep({seconds}); return coalesce(new, old); end $$"
    )
    conn.execute(
        f"create trigger dawdle before {move} on pgqueue.{table} for each row execute function public.dawdle()"
    )


def test_a_month_of_history_is_dropped_however_little_can_be_done_at_once(connect: Connect, hasty: Conn) -> None:
    conn = connect(autocommit=True)
    make_history(conn, 600)
    slow_down(conn, "attempts", "delete", 0.002)
    with pytest.raises(psycopg.errors.QueryCanceled):
        execute(hasty, workers.prune(timedelta(days=7), timedelta(days=180)))
    portion = Portion(20, 5_000)

    def is_gone() -> bool:
        with suppress(psycopg.errors.QueryCanceled):
            assert prune(hasty, portion) >= SOON
        return count(conn, "attempts") == 0

    wait_until(is_gone, 30)


def test_a_portion_grows_again_when_calls_are_quick() -> None:
    portion = Portion(20, 5_000)

    def cancelled(_size: int) -> None:
        raise psycopg.errors.QueryCanceled

    for _ in range(4):
        with suppress(psycopg.errors.QueryCanceled):
            portion.spend(cancelled)
    assert portion.size == 20
    for _ in range(9):
        portion.spend(lambda _: None)
    assert portion.size == 5_000


def test_a_reaper_that_may_read_but_a_few_pages_a_call_finds_all_jobs(connect: Connect) -> None:
    conn = connect(autocommit=True)
    worker = enlist(conn, concurrency=100)
    fill(conn, 500)
    held = claim(conn, worker, 500)
    expire(conn, worker)
    portion = Portion(1, 1)
    while reap(conn, lambda _: None, portion):
        continue
    left = conn.execute("select count(*) from pgqueue.jobs where worker is not null").fetchone()
    assert (len(held), left) == (500, (0,))


def test_p11_a_chore_that_is_refused_keeps_no_other_waiting(connect: Connect) -> None:
    conn = connect(autocommit=True)
    heard: list[Event] = []
    done: list[str] = []

    def refused(conn: Conn) -> float:
        conn.execute("select 1 / 0")
        return 0.0

    def well(_conn: Conn) -> float:
        done.append("well")
        return 60.0

    chores = Chores([(refused, 0.0), (well, 0.0)], heard.append)
    chores.tend(conn)
    assert done == ["well"]
    assert [trouble.error for trouble in heard if isinstance(trouble, Trouble)] == [
        "the database refuses a chore: division by zero (22012)"
    ]
