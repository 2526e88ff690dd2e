"""What holds a claim of keyed jobs back where lanes meet: rules that went, locks, pauses, and names from before."""

from __future__ import annotations

import pytest

from pgqueue.job import NewJob
from pgqueue.store import by_name, enqueueing, execute
from tests.conftest import Connect
from tests.factories import TARGET, Conn, enlist, enqueue, epoch, slots
from tests.limits import claim_keyed, holds, rule, take_keyed

OTHER = "shop.tasks:other"


def running(conn: Conn) -> int:
    row = conn.execute("select count(*) from pgqueue.jobs where worker is not null").fetchone()
    assert row is not None
    return int(row[0])


def locks(conn: Conn) -> int:
    """How many advisory locks there are."""
    row = conn.execute("select count(*) from pg_locks where locktype = 'advisory'").fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("numbers", [{"concurrency": 1}, {"starts": 1, "period": 60.0}], ids=["concurrency", "rate"])
def test_two_lanes_of_one_key_share_its_limit_when_the_rule_of_a_task_has_gone(
    db: Conn, numbers: dict[str, float]
) -> None:
    rule(db, "key", "a", **numbers)
    rule(db, "task", TARGET, concurrency=5)
    enqueue(db, limit_key="a")
    db.execute("select pgqueue.remove_limit('task', %s)", [TARGET])
    execute(db, enqueueing.enqueue(NewJob(OTHER, limit_key="a")))
    take_keyed(db, enlist(db))
    assert running(db) == 1


def test_keys_that_have_used_up_their_rates_are_passed_by_without_a_lock(connect: Connect) -> None:
    one, db = connect(), connect(autocommit=True)
    rule(db, "key", "k*", starts=1, period=60.0)
    for number in range(100):
        enqueue(db, limit_key=f"k{number}")
        enqueue(db, limit_key=f"k{number}")
    worker = enlist(db)
    while take_keyed(db, worker):
        pass
    assert running(db) == 100
    found = claim_keyed(one, worker, visits=3200)
    assert found.step.claims == []
    assert found.step.next_due is not None, "it is known when there is room again"
    assert locks(one) == 0


def test_a_task_that_has_used_up_its_rate_is_passed_by_without_a_lock(connect: Connect) -> None:
    one, db = connect(), connect(autocommit=True)
    rule(db, "task", TARGET, starts=1, period=60.0)
    for _ in range(2):
        enqueue(db)
    worker = enlist(db)
    while take_keyed(db, worker):
        pass
    found = claim_keyed(one, worker)
    assert found.step.next_due is not None
    assert (running(db), locks(one)) == (1, 0)


def test_lanes_with_nothing_for_a_worker_take_few_locks_and_it_comes_to_their_end(connect: Connect) -> None:
    one, db = connect(), connect(autocommit=True)
    rule(db, "key", "k*", concurrency=1)
    for number in range(300):
        enqueue(db, limit_key=f"k{number:03}")
    execute(db, enqueueing.enqueue(NewJob(OTHER, limit_key="k999")))
    worker = enlist(db)
    # As park() leaves it: another worker knows this target.
    db.execute("update pgqueue.workers set passed = array[%s] where id = %s", [TARGET, worker])
    found = claim_keyed(one, worker, 10, visits=800)
    assert found.step.claims == []
    assert found.more
    assert locks(one) <= 120
    one.commit()
    for _ in range(5):
        if found.step.claims:
            break
        found = claim_keyed(one, worker, 10, visits=800, look=None, slots=found.slots)
        one.commit()
    assert [claim.target for claim in found.step.claims] == [OTHER]


def test_the_end_of_a_pause_is_when_keyed_jobs_are_due(db: Conn) -> None:
    enqueue(db, queue="mail", limit_key="a")
    db.execute("insert into pgqueue.queues (name, paused, paused_until) values ('mail', true, now() + '1 hour')")
    found = claim_keyed(db, enlist(db))
    row = db.execute("select paused_until from pgqueue.queues where name = 'mail'").fetchone()
    assert row == (found.step.next_due,)


def test_a_rule_that_goes_leaves_its_keys_to_the_next_shorter_one_whatever_has_its_name(db: Conn) -> None:
    db.execute("select pgqueue.set_limit('key', 'tenant:*', concurrency => 1)")
    db.execute("select pgqueue.set_limit('key', 'tenant:vip', concurrency => 9)")
    db.execute("select pgqueue.set_limit('key', 'tenant:vip*', rate => '1000/s')")
    db.execute("select pgqueue.adopt_limits()")
    for _ in range(4):
        enqueue(db, limit_key="tenant:vip 1")
    worker = enlist(db)
    assert len(take_keyed(db, worker, 2)) == 2
    db.execute("select pgqueue.remove_limit('key', 'tenant:vip*')")
    assert take_keyed(db, worker) == []
    db.execute("select pgqueue.adopt_limits()")
    assert take_keyed(db, worker) == []
    assert holds(db) == {"k:tenant:vip 1": 2}


def test_what_was_named_before_its_limit_came_takes_its_share(db: Conn) -> None:
    named = enqueue(db)
    rule(db, "task", TARGET, concurrency=1)
    worker = enlist(db)
    execute(db, by_name.claim(worker, [named], slots(), epoch(db, worker)))
    assert holds(db) == {f"t:{TARGET}": 1}
