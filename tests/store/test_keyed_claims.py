"""Limits: how many jobs of a key, a task, a queue may run, kept by the database; and what gives a share back."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from pgqueue.job import Claim
from pgqueue.store import execute, jobs
from tests.factories import (
    HOUR,
    TARGET,
    Conn,
    claim,
    disown,
    enlist,
    enqueue,
    fail,
    job,
    lose,
    release,
    settle,
    step_as_before,
)
from tests.limits import claim_keyed, holds, rule, stray_holds, take_keyed


def test_no_more_jobs_of_a_key_run_than_its_rule_says(db: Conn) -> None:
    rule(db, "key", "tenant:*", concurrency=2)
    for number in range(5):
        enqueue(db, [number], limit_key="tenant:1")
        enqueue(db, [number], limit_key="tenant:2")
    worker = enlist(db)
    taken = take_keyed(db, worker)
    assert sorted(claim.args for claim in taken) == ["[0]", "[0]", "[1]", "[1]"]
    assert take_keyed(db, worker) == []
    settle(db, taken[0])
    assert [each.args for each in take_keyed(db, worker)] == ["[2]"]
    assert holds(db) == {"k:tenant:1": 2, "k:tenant:2": 2}


def test_the_longest_rule_that_matches_a_key_rules_it_alone(db: Conn) -> None:
    rule(db, "key", "*", concurrency=1)
    rule(db, "key", "tenant:*", concurrency=2)
    rule(db, "key", "tenant:vip", concurrency=3)
    rule(db, "key", "tenant:free*")
    for key in ("other", "tenant:1", "tenant:vip", "tenant:free:1"):
        for _ in range(5):
            enqueue(db, limit_key=key)
    take_keyed(db, enlist(db))
    running = db.execute("select limit_key, count(*) from pgqueue.jobs where worker is not null group by 1")
    assert dict(running.fetchall()) == {"other": 1, "tenant:1": 2, "tenant:vip": 3, "tenant:free:1": 5}


def test_a_limited_queue_shares_its_room_between_keys_and_jobs_without_one(db: Conn) -> None:
    rule(db, "queue", "mail", concurrency=4)
    for number in range(5):
        enqueue(db, [number], queue="mail", limit_key="a")
        enqueue(db, [number], queue="mail")
    worker = enlist(db)
    assert claim(db, worker, 10, "mail") == []
    first = claim_keyed(db, worker, 2)
    taken = [*first.step.claims, *take_keyed(db, worker, 2, slots=first.slots)]
    assert sorted(each.args for each in taken) == ["[0]", "[0]", "[1]", "[1]"], "both kinds have their turn"
    assert take_keyed(db, worker) == []
    assert holds(db) == {"q:mail": 4}
    settle(db, *taken)
    assert len(take_keyed(db, worker)) == 4


def test_no_more_jobs_of_a_task_run_than_its_rule_says_whoever_enqueued_them(db: Conn) -> None:
    for number in range(3):
        enqueue(db, [number], limit_key="a")
        enqueue(db, [number])
    rule(db, "task", TARGET, concurrency=2)
    enqueue(db, [9], limit_key="b")
    enqueue(db, [9])
    worker = enlist(db)
    assert claim(db, worker, 10) == [], "an ordinary claim leaves a limited task out"
    taken = take_keyed(db, worker)
    assert len(taken) == 2
    for _ in range(6):
        assert take_keyed(db, worker) == []
        settle(db, taken.pop())
        taken += take_keyed(db, worker)
        assert holds(db) == {f"t:{TARGET}": 2}


def test_two_limits_hold_together(db: Conn) -> None:
    rule(db, "task", TARGET, concurrency=3)
    rule(db, "key", "k*", concurrency=2)
    rule(db, "queue", "mail", concurrency=4)
    for key in ("k1", "k2"):
        for _ in range(4):
            enqueue(db, queue="mail", limit_key=key)
    taken = take_keyed(db, enlist(db))
    assert len(taken) == 3
    assert holds(db)[f"t:{TARGET}"] == holds(db)["q:mail"] == 3
    assert max(holds(db)["k:k1"], holds(db)["k:k2"]) == 2


GIVE_BACK: dict[str, Callable[[Conn, Claim], Any]] = {
    "settle": settle,
    "fail and retry": fail,
    "fail and die": lambda conn, taken: fail(conn, taken, None),
    "fail for an hour": lambda conn, taken: fail(conn, taken, HOUR),
    "release": release,
    "snooze": lambda conn, taken: release(conn, taken, HOUR),
    "never started": lambda conn, taken: release(conn, taken, started=False),
    "lose": lose,
    "complete": lambda conn, taken: execute(conn, jobs.complete(taken, None)),
    "disown": lambda conn, taken: disown(conn, taken.worker, []),
    "late": lambda conn, taken: (lose(conn, taken), settle(conn, taken)),
}


@pytest.mark.parametrize("how", GIVE_BACK)
@pytest.mark.parametrize("scope", ["key", "queue", "task"])
def test_whatever_ends_an_attempt_gives_its_share_back(db: Conn, how: str, scope: str) -> None:
    rule(db, scope, {"key": "a", "queue": "default", "task": TARGET}[scope], concurrency=1)
    enqueue(db, [1], limit_key="a")
    (first,) = take_keyed(db, enlist(db))
    enqueue(db, [2], limit_key="a")
    assert take_keyed(db, enlist(db)) == []
    GIVE_BACK[how](db, first)
    assert holds(db) == {}
    assert stray_holds(db) == 0
    assert len(take_keyed(db, enlist(db))) == 1


def test_a_cancelled_job_that_waits_leaves_its_lane(db: Conn) -> None:
    waiting = enqueue(db, limit_key="a")
    execute(db, jobs.cancel(waiting))
    found = claim_keyed(db, enlist(db))
    assert found.step.claims == []
    assert found.slots == []


def test_a_keyed_job_that_is_not_due_yet_costs_no_claim_anything_until_it_is(db: Conn) -> None:
    later = enqueue(db, limit_key="a", delay=HOUR)
    worker = enlist(db)
    found = claim_keyed(db, worker)
    assert found.step.claims == []
    assert found.step.next_due is not None
    assert found.step.next_due == job(db, later).run_at
    db.execute("update pgqueue.jobs set run_at = now()")
    assert [each.id for each in take_keyed(db, worker)] == [later]


def test_a_worker_of_the_last_release_claims_nothing_that_has_a_limit(db: Conn) -> None:
    rule(db, "queue", "default", concurrency=1)
    enqueue(db)
    enqueue(db, limit_key="a")
    assert [row for row in step_as_before(db, enlist(db), 10) if row[0] is not None] == []


def test_a_job_that_a_hand_inserted_with_a_key_waits_in_its_lane(db: Conn) -> None:
    rule(db, "key", "a", concurrency=1)
    db.execute(
        "insert into pgqueue.jobs (id, target, limit_key) select gen_random_uuid(), 'shop.tasks:send', 'a'"
        " from generate_series(1, 3)"
    )
    worker = enlist(db)
    assert claim(db, worker, 10) == []
    assert len(take_keyed(db, worker)) == 1


def test_keys_take_turns(db: Conn) -> None:
    for key, count in (("large", 50), ("small", 5), ("other", 5)):
        for _ in range(count):
            enqueue(db, limit_key=key)
    worker = enlist(db)
    slots: list[Any] = []
    order = []
    for _ in range(15):
        found = claim_keyed(db, worker, 1, slots=slots)
        slots = found.slots
        order += [job(db, each.id).limit_key for each in found.step.claims]
    assert sorted(order) == ["large"] * 5 + ["other"] * 5 + ["small"] * 5


@pytest.mark.parametrize("limit", [1, 8, 50])
@pytest.mark.parametrize("others", [1, 2, 5])
def test_a_key_waits_for_no_more_than_a_share_of_each_other_key(db: Conn, limit: int, others: int) -> None:
    for other in range(others):
        for _ in range(300):
            enqueue(db, limit_key=f"large {other}")
    for _ in range(10):
        enqueue(db, limit_key="small")
    worker = enlist(db)
    share = math.ceil(limit / (others + 1))
    slots: list[Any] = []
    waited, most, ran = 0, 0, 0
    while ran < 10:
        found = claim_keyed(db, worker, limit, slots=slots)
        slots = found.slots
        for each in found.step.claims:
            if job(db, each.id).limit_key == "small":
                most, waited, ran = max(most, waited), 0, ran + 1
            else:
                waited += 1
    assert most <= others * share


def test_higher_priorities_go_before_fairness(db: Conn) -> None:
    enqueue(db, [1], limit_key="a", priority=1)
    enqueue(db, [9], limit_key="b", priority=9)
    assert [each.args for each in take_keyed(db, enlist(db), 1)] == ["[9]"]


def test_a_paused_queue_gives_out_no_keyed_job(db: Conn) -> None:
    enqueue(db, limit_key="a")
    db.execute("insert into pgqueue.queues (name, paused) values ('default', true)")
    found = claim_keyed(db, enlist(db))
    assert found.step.claims == []
    assert not found.more


def test_a_keyed_job_avoids_its_host_and_is_passed_to_who_knows_its_target(db: Conn) -> None:
    enqueue(db, limit_key="a")
    worker = enlist(db)
    db.execute("update pgqueue.jobs set avoid_host = 'here'")
    assert take_keyed(db, worker) == []
    db.execute("update pgqueue.jobs set avoid_host = 'there'")
    db.execute("update pgqueue.workers set passed = %s", [[TARGET]])
    assert take_keyed(db, worker) == []
    db.execute("update pgqueue.workers set passed = null")
    assert len(take_keyed(db, worker)) == 1


def test_a_claim_with_limits_is_refused_where_counts_could_be_old(db: Conn) -> None:
    enqueue(db, limit_key="a")
    worker = enlist(db)
    db.execute("set default_transaction_isolation to 'repeatable read'")
    with pytest.raises(psycopg.errors.FeatureNotSupported, match="READ COMMITTED"):
        claim_keyed(db, worker)


def test_a_claim_under_a_lease_that_has_ended_or_in_an_old_epoch_takes_nothing(db: Conn) -> None:
    enqueue(db, limit_key="a")
    worker = enlist(db)
    db.execute("update pgqueue.workers set epoch = 1")
    assert claim_keyed(db, worker, at=0).step.claims == []
    db.execute("update pgqueue.workers set expires_at = now()")
    found = claim_keyed(db, worker, at=1).step
    assert not found.alive
    assert found.claims == []


def test_a_limit_key_cannot_pretend_to_be_a_lane_of_another_task(db: Conn) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="U\\+0001"):
        db.execute("select pgqueue.enqueue('shop.tasks:send', limit_key => %s)", ["a\x01shop.tasks:send"])


def test_a_retried_dead_job_waits_in_its_lane_again(db: Conn) -> None:
    rule(db, "key", "a", concurrency=1)
    enqueue(db, limit_key="a")
    (taken,) = take_keyed(db, enlist(db))
    fail(db, taken, None)
    execute(db, jobs.retry(taken.id))
    assert claim(db, enlist(db), 5) == []
    assert [each.id for each in take_keyed(db, enlist(db))] == [taken.id]


def test_names_whose_hashes_are_the_same_only_wait_for_each_other(db: Conn, connect: Any) -> None:
    """Every lock is the same one: limits still hold, and nobody is locked out for good."""
    rule(db, "key", "*", concurrency=1)
    for key in ("a", "b"):
        enqueue(db, limit_key=key)
    other = connect(autocommit=False)
    other.execute("select pg_advisory_xact_lock(7710, hashtext('k:a'))")
    found = claim_keyed(db, enlist(db))
    assert found.busy
    assert [job(db, each.id).limit_key for each in found.step.claims] == ["b"]
    other.rollback()
    assert len(take_keyed(db, enlist(db))) == 1


def test_a_job_claimed_by_hand_takes_a_share_though_the_limit_is_reached(db: Conn) -> None:
    rule(db, "key", "a", concurrency=1)
    enqueue(db, limit_key="a")
    other = enqueue(db, limit_key="a")
    worker = enlist(db)
    take_keyed(db, worker)
    assert execute(db, jobs.claim_one(worker, other)) is not None
    assert holds(db) == {"k:a": 2}
    assert stray_holds(db) == 0
