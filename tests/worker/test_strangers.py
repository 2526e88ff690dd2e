"""Anybody who may connect may notify: what an idle worker does about it is bounded."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from psycopg import sql

from tests.waiting import wait_until
from tests.worker.running import NEVER, Desk, StartThreaded

MANY = 1500
# What a worker does to begin, to idle a while and to end.
USUAL = 40


@pytest.fixture
def asked(desk: Desk) -> Callable[[], int]:
    """How often the worker has called a function of pgqueue; sessions tell when they end.

    Not its transactions: a session that listens begins one whenever it is notified, whatever for.
    """
    name = sql.Identifier(desk.conn.info.dbname)
    desk.conn.execute(sql.SQL("alter database {} set track_functions = 'pl'").format(name))

    def asked() -> int:
        desk.conn.execute("select pg_stat_clear_snapshot()")
        names = "('step', 'heartbeat', 'first_queues', 'heads', 'heads_of')"
        calls = desk.one(f"select coalesce(sum(calls), 0) from pg_stat_user_functions where funcname in {names}")
        return int(calls)

    return asked


@pytest.mark.parametrize(
    ("queues", "payload", "most"),
    [
        (["default"], "nobody {}", 0),
        (None, "nobody {}", 2 * 20 + 30),
        (None, "default", 50 + 300),
        (["default"], "default", 50 + 300),
        ([f"q{number}" for number in range(50)], "q{}", 50 + 300),
    ],
    ids=["named, unknown", "all, unknown", "all, known", "named, known", "many, known"],
)
def test_notifications_of_nothing_wake_a_worker_a_bounded_number_of_times(
    dsn: str,
    start: StartThreaded,
    desk: Desk,
    asked: Callable[[], int],
    queues: list[str] | None,
    payload: str,
    most: int,
) -> None:
    worker = start(executor="thread", queues=queues, poll=NEVER)
    desk.await_state(desk.send("work", queue="q1" if queues and "q1" in queues else "default"))
    desk.await_idle()
    with psycopg.connect(dsn, autocommit=True) as stranger:
        for number in range(MANY):
            stranger.execute("select pg_notify('pgqueue', %s)", [payload.format(number % 50)])
    # It hears what concerns it, all the same.
    desk.await_state(desk.send("work", queue="q1" if queues and "q1" in queues else "default"), timeout=5)
    assert worker.stop() == 0
    wait_until(lambda: not desk.backends())
    assert 0 < wait_until(asked) <= most + USUAL


def test_a_worker_that_is_told_to_look_all_the_time_beats_a_few_times_a_second(
    dsn: str, start: StartThreaded, desk: Desk, asked: Callable[[], int]
) -> None:
    worker = start(executor="thread", queues=["default"], poll=NEVER)
    desk.await_idle()
    with psycopg.connect(dsn, autocommit=True) as stranger:
        channel = f"pgqueue_{desk.one('select id from pgqueue.workers')}"
        for _ in range(MANY):
            stranger.execute("select pg_notify(%s, 'look')", [channel])
    assert worker.stop() == 0
    wait_until(lambda: not desk.backends())
    assert 0 < wait_until(asked) <= USUAL
