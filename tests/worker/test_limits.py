"""Whole workers and limits: kept across kills, and a share that comes back is used at once."""

from __future__ import annotations

import os
import signal
import time

import pgqueue
from pgqueue.job import NewJob
from tests.limits import holds, most_at_once, rule, stray_holds
from tests.waiting import wait_until
from tests.worker.running import ERRANDS, NEVER, Desk, StartProcess, StartThreaded

WORK = f"{ERRANDS}:work"


def test_a_limit_holds_over_two_workers_one_of_which_is_killed(desk: Desk, spawn: StartProcess) -> None:
    rule(desk.conn, "key", "k*", concurrency=2)
    ids = desk.send_many([NewJob(WORK, [0.02], limit_key=f"k{n % 3}") for n in range(120)])
    first = spawn(executor="thread", concurrency=4, lease=1, poll=0.2)
    spawn(executor="thread", concurrency=4, lease=1, poll=0.2)
    wait_until(lambda: desk.one("select count(*) > 20 from pgqueue.attempts"))
    os.kill(first.pid, signal.SIGKILL)
    spawn(executor="thread", concurrency=4, lease=1, poll=0.2)
    desk.await_all_ended(60)
    assert max(most_at_once(desk.conn).values()) == 2
    assert holds(desk.conn) == {}
    desk.check_books(ids, succeeded=120)


def test_a_keyed_job_starts_as_soon_as_it_is_told_of(desk: Desk, start: StartThreaded) -> None:
    start(executor="thread", poll=NEVER)
    desk.await_idle()
    # Only a notification can explain it: nobody polls.
    desk.await_state(desk.send("work", limit_key="a"))


def test_a_share_that_comes_back_wakes_an_idle_worker(desk: Desk, start: StartThreaded) -> None:
    rule(desk.conn, "key", "a", concurrency=1)
    one = start(executor="thread", poll=NEVER, concurrency=1)
    first = desk.send("work", 0.6, limit_key="a")
    desk.await_state(first, "running")
    # Keeps that worker from the share: another has to take it.
    desk.send("work", 2.0)
    start(executor="thread", poll=NEVER, concurrency=1)
    second = desk.send("work", limit_key="a")
    desk.await_state(second, timeout=5)
    assert one.code is None
    assert most_at_once(desk.conn)["a"] == 1


def test_a_lane_of_one_goes_on_without_a_pause(desk: Desk, start: StartThreaded) -> None:
    rule(desk.conn, "key", "a", concurrency=1)
    start(executor="thread", poll=NEVER)
    desk.await_idle()
    began = time.monotonic()
    desk.send_many([NewJob(WORK, [0.0], limit_key="a") for _ in range(50)])
    desk.await_all_ended(NEVER / 2)
    # Not one poll, nor a probe of half a second, lies between two of them.
    assert time.monotonic() - began < NEVER / 2
    assert most_at_once(desk.conn) == {"a": 1}


def test_a_rate_lets_a_worker_sleep_until_there_is_room(desk: Desk, start: StartThreaded) -> None:
    rule(desk.conn, "key", "a", starts=2, period=0.4)
    start(executor="thread", poll=NEVER)
    ids = desk.send_many([NewJob(WORK, [0.0], limit_key="a") for _ in range(8)])
    desk.await_all_ended()
    desk.check_books(ids, succeeded=8)
    assert desk.one("select max(attempt) from pgqueue.attempts") == 1


def test_a_rule_that_comes_while_workers_work_is_kept(desk: Desk, start: StartThreaded) -> None:
    start(executor="thread", poll=0.2, concurrency=4)
    ids = desk.send_many([NewJob(WORK, [0.02]) for _ in range(100)])
    wait_until(lambda: desk.one("select count(*) > 10 from pgqueue.attempts"))
    pgqueue.set_limit(desk.conn, "task", WORK, concurrency=1)
    wait_until(lambda: desk.one("select count(*) = 0 from pgqueue.limits where not adopted"))
    since = desk.one("select clock_timestamp()")
    desk.await_all_ended(60)
    desk.check_books(ids, succeeded=100)
    desk.conn.execute("delete from pgqueue.attempts where started_at < %s", [since])
    assert most_at_once(desk.conn, "target") == {WORK: 1}
    assert stray_holds(desk.conn) == 0


def test_a_burst_drains_what_is_limited_too(desk: Desk, start: StartThreaded) -> None:
    rule(desk.conn, "key", "k", concurrency=1)
    rule(desk.conn, "queue", "mail", concurrency=1)
    ids = desk.send_many([NewJob(WORK, [0.0], limit_key="k") for _ in range(20)])
    ids += desk.send_many([NewJob(WORK, [0.0], queue="mail") for _ in range(20)])
    ids += desk.send_many([NewJob(WORK, [0.0]) for _ in range(20)])
    assert start(executor="thread", burst=True).join() == 0
    desk.check_books(ids, succeeded=60)
