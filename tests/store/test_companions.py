"""Companions: which jobs may join a claimed one in its call, and the success of many in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from pgqueue.job import Claim
from pgqueue.limits import set_limit
from pgqueue.queues import pause_queue
from pgqueue.store import execute, together
from tests.conftest import Connect
from tests.factories import Conn, claim, disown, enlist, epoch, expire, fill, outcomes, state


@pytest.fixture
def db(connect: Connect) -> Conn:
    return connect(autocommit=True)


def ask(conn: Conn, lead: Claim, limit: int = 100, **options: Any) -> together.Companions:
    after = options.pop("after", (lead.run_at, lead.id))
    statement = together.claim_companions(
        lead, options.pop("epoch", epoch(conn, lead.worker)), after, limit, most_attempts=26, **options
    )
    return execute(conn, statement)


def others(conn: Conn, count: int) -> list[UUID]:
    """Jobs of another target."""
    ids = fill(conn, count)
    conn.execute("update pgqueue.jobs set target = 'other:task' where id = any (%s)", [ids])
    return ids


def lead_of(conn: Conn) -> Claim:
    """The first job, claimed."""
    (lead,) = claim(conn, enlist(conn), 1)
    return lead


def test_companions_are_the_next_jobs_of_the_target_in_order(db: Conn) -> None:
    first, *rest = fill(db, 5)
    (other,) = others(db, 1)
    lead = lead_of(db)
    found = ask(db, lead, 3)
    assert lead.id == first
    assert [each.id for each in found.step.claims] == rest[:3]
    assert {(each.worker, each.attempt, each.claim) for each in found.step.claims} == {(lead.worker, 1, 1)}
    assert (found.seen or ())[1:] == (other,)
    assert [each.id for each in ask(db, lead, 3).step.claims] == rest[3:]
    assert state(db, other) == "ready"
    assert ask(db, lead, after=found.seen or (lead.run_at, lead.id)).seen is None


SPOILS = {
    "is due later": "run_at = now() + interval '1 hour'",
    "has another priority": "priority = 4",
    "waits in another queue": "queue = 'other'",
    "crashed": "crashes = 1",
    "made an attempt": "attempt = 1",
    "has one attempt": "max_attempts = 1",
    "is running": "worker = 4711, started_at = now()",
    "avoids this host": "avoid_host = 'here', run_at = now()",
    "waits in a lane": "lane = 'k', limit_key = 'k'",
}


@pytest.mark.parametrize("change", SPOILS.values(), ids=SPOILS.keys())
def test_who_must_not_join_is_left_where_it_is(db: Conn, change: str) -> None:
    lead_id, spoiled, fits = fill(db, 3)
    lead = lead_of(db)
    db.execute(f"update pgqueue.jobs set {change} where id = %s", [spoiled])
    assert lead.id == lead_id
    assert [each.id for each in ask(db, lead).step.claims] == [fits]


def test_a_retried_job_is_joined_by_those_of_its_attempt(db: Conn) -> None:
    ids = fill(db, 3)
    lead = lead_of(db)._replace(attempt=2)
    db.execute("update pgqueue.jobs set attempt = 1 where id = %s", [ids[2]])
    assert [(each.id, each.attempt) for each in ask(db, lead).step.claims] == [(ids[2], 2)]


def test_no_more_is_looked_at_than_said(db: Conn) -> None:
    fill(db, 1)
    lead = lead_of(db)
    others(db, 10)
    (behind,) = fill(db, 1)
    found = ask(db, lead, visits=10)
    assert found.step.claims == []
    assert found.seen is not None
    assert [each.id for each in ask(db, lead, after=found.seen).step.claims] == [behind]


def test_no_more_bytes_are_taken_than_said_but_always_one(db: Conn) -> None:
    fill(db, 1)
    lead = lead_of(db)
    fill(db, 5, args={"text": "x" * 1000})
    assert len(ask(db, lead, most_bytes=1).step.claims) == 1
    assert len(ask(db, lead, most_bytes=2500).step.claims) == 3


@pytest.mark.parametrize(
    "befalls",
    [
        lambda conn, lead: expire(conn, lead.worker),
        lambda conn, lead: disown(conn, lead.worker, [lead]),
        lambda conn, lead: pause_queue(conn, "default"),
        lambda conn, lead: set_limit(conn, "queue", "default", concurrency=5),
        lambda conn, lead: set_limit(conn, "task", lead.target, concurrency=5),
    ],
    ids=["lease gone", "epoch passed", "queue paused", "queue limited", "task limited"],
)
def test_nothing_joins_where_nothing_may_be_claimed(db: Conn, befalls: Callable[[Conn, Claim], Any]) -> None:
    fill(db, 3)
    lead = lead_of(db)
    before = epoch(db, lead.worker)
    befalls(db, lead)
    found = ask(db, lead, epoch=before)
    assert found.step.claims == []
    assert found.step.alive is (lead.worker in _alive(db))


def _alive(conn: Conn) -> list[int]:
    return [row[0] for row in conn.execute("select id from pgqueue.workers where expires_at > now()")]


def test_two_workers_never_get_the_same_companion(db: Conn, connect: Connect) -> None:
    """The second asks while the first has not committed."""
    fill(db, 10)
    lead, other = lead_of(db), lead_of(db)
    first = connect()
    taken = [each.id for each in ask(first, lead, 4).step.claims]
    others = [each.id for each in ask(db, other, 100).step.claims]
    first.commit()
    assert (len(taken), len(others)) == (4, 4)
    assert not set(taken) & set(others)


def test_a_job_past_its_ttl_is_told_apart(db: Conn) -> None:
    fill(db, 2)
    lead = lead_of(db)
    db.execute("update pgqueue.jobs set expires_at = now() - interval '1 s' where worker is null")
    step = ask(db, lead).step
    assert (len(step.claims), len(step.expired)) == (0, 1)


def test_many_succeed_in_one_transaction_or_the_late_ones_are_named(db: Conn, connect: Connect) -> None:
    fill(db, 4)
    worker = enlist(db)
    claims = claim(db, worker, 4)
    told: list[Any] = []
    own = connect()
    assert execute(own, together.complete(claims[:2], ["1", None], [None] * 2, told.append))
    own.commit()
    assert [outcomes(db, each.id) for each in claims[:2]] == [["succeeded"]] * 2
    assert state(db, claims[0].id) == "succeeded"
    db.execute("update pgqueue.jobs set claim = claim + 1 where id = %s", [claims[3].id])
    assert not execute(own, together.complete(claims[2:], [None] * 2, [None] * 2, told.append))
    own.rollback()
    assert told == [[], [claims[3].id]]
    assert [outcomes(db, each.id) for each in claims[2:]] == [[], []]
    # A reply that got lost: the same tokens are acknowledged.
    assert execute(db, together.complete(claims[:2], ["1", None], [None] * 2, told.append))
