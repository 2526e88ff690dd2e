"""Weights: each queue that a worker was told of has its share of the claims while all have work."""

from __future__ import annotations

from collections import Counter
from itertools import accumulate

import pytest

from pgqueue.events import Trouble
from pgqueue.store import execute, queues
from pgqueue.worker.selection import select
from tests.factories import Conn, enqueue, fill
from tests.waiting import wait_until
from tests.worker.running import ERRANDS, NEVER, Desk, StartThreaded
from tests.worker.steps import Steps

WEIGHTS = {"critical": 3, "default": 1, "email.*": 2}
EMAILS = {"few": 3, "many": 30}


@pytest.fixture(params=EMAILS)
def emails(request: pytest.FixtureRequest) -> list[str]:
    """Queues that a glob means: with the others few, or many."""
    return [f"email.{number:02}" for number in range(EMAILS[request.param])]


def share_of(queue: str) -> str:
    return "email.*" if queue.startswith("email.") else queue


@pytest.mark.parametrize("limit", [1, 7])
def test_claims_stay_within_one_step_of_their_shares_while_all_have_work(
    db: Conn, emails: list[str], limit: int
) -> None:
    for queue in ("critical", "default"):
        # Higher priorities elsewhere take nothing of a share.
        fill(db, 150, queue=queue, priority=9 if queue == "default" else 0)
    for queue in emails:
        fill(db, 150 // len(emails), queue=queue)
    worker = Steps(db, select(WEIGHTS))
    # Many queues are found one window after another.
    worker.claim(0)
    claimed = [Counter(share_of(each.queue) for each in worker.claim(limit)) for _ in range(120 // limit)]
    for had in accumulate(claimed, lambda before, now: before + now):
        spent = [had[name] / weight for name, weight in WEIGHTS.items()]
        assert max(spent) - min(spent) <= limit
    assert had.total() >= 120 - limit


def test_in_a_share_priority_rules_and_then_who_waited_longest(db: Conn, emails: list[str]) -> None:
    queue_of = {}
    for number, priority in enumerate([5, 2, 9, 2, 5]):
        queue_of[enqueue(db, queue=emails[number % len(emails)], priority=priority)] = priority
    worker = Steps(db, select({"email.*": 1, "other": 1}))
    worker.claim(0)
    assert [queue_of[worker.claim()[0].id] for _ in range(5)] == [9, 5, 5, 2, 2]


def test_who_had_nothing_to_claim_saves_nothing_up(db: Conn) -> None:
    fill(db, 200, queue="critical")
    worker = Steps(db, select({"critical": 1, "default": 1}))
    for _ in range(50):
        worker.claim()
    fill(db, 50, queue="default")
    had = Counter(worker.claim()[0].queue for _ in range(20))
    assert abs(had["critical"] - had["default"]) <= 1


def test_what_is_not_claimed_by_one_share_is_left_to_the_others(db: Conn) -> None:
    fill(db, 10, queue="critical")
    worker = Steps(db, select({"critical": 1, "default": 1000}))
    assert len(worker.claim(10)) == 10


def test_without_weights_priorities_rule_over_all_queues(db: Conn) -> None:
    fill(db, 5, queue="first", priority=4)
    fill(db, 5, queue="second", priority=6)
    worker = Steps(db, select(["first", "second"]))
    assert [worker.claim()[0].queue for _ in range(10)] == ["second"] * 5 + ["first"] * 5


@pytest.mark.parametrize("others", [3, 150], ids=["among few", "among many"])
def test_a_new_queue_that_a_glob_means_is_served_when_it_comes_and_no_other(
    start: StartThreaded, desk: Desk, others: int
) -> None:
    for number in range(others):
        desk.send("work", queue=f"other{number}", delay=3600)
    start(executor="thread", queues=["mail", "email.*"], exclude=["email.slow*"], poll=NEVER)
    desk.await_idle()
    left = [desk.send("work", queue=queue) for queue in ("email.slow", "email", "web")]
    for queue in ("email.new", "mail", "email.newer"):
        desk.await_state(desk.send("work", queue=queue), timeout=3)
    assert [desk.job(job_id).state for job_id in left] == ["ready"] * 3


@pytest.mark.parametrize("others", [3, 150], ids=["among few", "among many"])
def test_a_worker_of_all_but_some_queues_is_not_troubled_by_those(
    start: StartThreaded, desk: Desk, others: int
) -> None:
    """The watchdog does not miss what the worker is not to claim; a burst ends, and leaves it."""
    for number in range(others):
        desk.send("work", queue=f"other{number}")
    slow = desk.send("work", queue="slow")
    assert start(executor="thread", exclude=["slow"], burst=True).join() == 0
    assert desk.values("select id from pgqueue.jobs") == [slow]
    desk.conn.execute("update pgqueue.jobs set run_at = run_at - interval '1 hour'")
    worker = start(executor="thread", exclude=["slow"], poll=0.1, lease=1.0)
    seen = wait_until(lambda: desk.one("select expires_at from pgqueue.workers"))
    # Several looks of the watchdog later; after the second it would retire.
    wait_until(lambda: desk.one("select expires_at > %s + interval '2 s' from pgqueue.workers", seen))
    assert worker.heard(Trouble) == []
    assert worker.stop() == 0


def test_a_job_of_a_queue_that_no_glob_means_is_not_left_to_that_worker(start: StartThreaded, desk: Desk) -> None:
    """What no worker that serves its queue knows is parked, though another worker knows it."""
    start(executor="thread", queues=["email.*"], app=[ERRANDS, "tests.worker.sample_tasks"])
    desk.await_idle()
    start(executor="thread", queues=["web.*"], app=[ERRANDS])
    job_id = desk.send("tests.worker.sample_tasks:add", queue="web.front")
    desk.await_state(job_id, "scheduled", "retrying")
    assert desk.one("select count(*) from pgqueue.parked") == 1


def test_a_pause_holds_for_a_share(db: Conn) -> None:
    fill(db, 5, queue="critical")
    fill(db, 5, queue="default")
    execute(db, queues.pause("critical"))
    worker = Steps(db, select({"critical": 3, "default": 1}))
    assert [worker.claim()[0].queue for _ in range(5)] == ["default"] * 5
