"""Rates: at most so many starts in any window, by the database's clock, changed live without forgetting."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from tests.factories import TARGET, Conn, enlist, enqueue, settle
from tests.limits import claim_keyed, rule, take_keyed


def starts(conn: Conn) -> list[tuple[datetime, int]]:
    """When each job started, and what it cost."""
    return conn.execute(
        "select started_at, coalesce(cost, 1) from pgqueue.jobs where worker is not null"
        " union all select started_at, 1 from pgqueue.attempts order by 1"
    ).fetchall()


def worst(moments: Sequence[tuple[datetime, int]], period: float) -> int:
    """The most that started in any half-open window."""
    most, length = 0, timedelta(seconds=period)
    for at, _ in moments:
        most = max(most, sum(cost for other, cost in moments if at <= other < at + length))
    return most


def run(conn: Conn, worker: int, seconds: float, limit: int = 3) -> None:
    """Claim as often as the answers say, for some time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = claim_keyed(conn, worker, limit)
        if not found.step.claims:
            # It is told when to come again.
            assert found.step.next_due is not None
            wait = (found.step.next_due - found.step.now).total_seconds()
            time.sleep(min(max(wait, 0.001), 0.3))


@pytest.mark.parametrize("scope", ["key", "task", "queue"])
def test_no_window_has_more_starts_than_the_rate(db: Conn, scope: str) -> None:
    rule(db, scope, {"key": "k*", "task": TARGET, "queue": "default"}[scope], starts=10, period=0.5)
    for _ in range(60):
        enqueue(db, limit_key="k1" if scope == "key" else None)
    run(db, enlist(db), 1.6)
    found = starts(db)
    assert worst(found, 0.5) == 10
    # Three windows and more have passed, and each was used.
    assert len(found) >= 30


def test_burst_spreads_what_a_window_allows(db: Conn) -> None:
    rule(db, "key", "k", starts=20, period=2.0, burst=2)
    for _ in range(30):
        enqueue(db, limit_key="k")
    run(db, enlist(db), 0.5, limit=30)
    # Two in each fortieth of the period; a window of that length touches two of them.
    assert worst(starts(db), 0.05) <= 4
    assert worst(starts(db), 0.5) <= 2 * 11
    assert worst(starts(db), 2.0) <= 20


def test_a_cost_counts_as_so_many_starts(db: Conn) -> None:
    rule(db, "key", "k", starts=10, period=60.0)
    for _ in range(5):
        enqueue(db, limit_key="k")
    db.execute("update pgqueue.jobs set cost = 4")
    worker = enlist(db)
    assert len(take_keyed(db, worker)) == 2
    found = claim_keyed(db, worker)
    assert found.step.claims == []
    assert found.step.next_due is not None


def test_a_cost_above_the_rate_counts_as_all_of_it(db: Conn) -> None:
    rule(db, "key", "k", starts=3, period=60.0)
    for _ in range(2):
        enqueue(db, limit_key="k")
    db.execute("update pgqueue.jobs set cost = 100")
    assert len(take_keyed(db, enlist(db))) == 1


def test_what_was_spent_is_remembered_when_a_rate_changes(db: Conn) -> None:
    rule(db, "key", "k", starts=10, period=60.0)
    for _ in range(40):
        enqueue(db, limit_key="k")
    worker = enlist(db)
    assert len(take_keyed(db, worker)) == 10
    rule(db, "key", "k", starts=12, period=60.0)
    assert len(take_keyed(db, worker)) == 2
    rule(db, "key", "k", starts=5, period=60.0)
    assert take_keyed(db, worker) == []
    rule(db, "key", "k", starts=14, period=30.0)
    assert len(take_keyed(db, worker)) == 2


def test_a_start_is_spent_whatever_becomes_of_it(db: Conn) -> None:
    rule(db, "key", "k", starts=1, period=60.0)
    for _ in range(2):
        enqueue(db, limit_key="k")
    worker = enlist(db)
    settle(db, *take_keyed(db, worker))
    assert take_keyed(db, worker) == []


def test_a_clock_that_was_set_back_lets_no_more_through(db: Conn) -> None:
    rule(db, "key", "k", starts=3, period=60.0)
    for _ in range(9):
        enqueue(db, limit_key="k")
    worker = enlist(db)
    assert len(take_keyed(db, worker)) == 3
    db.execute("update pgqueue.meters set cell = cell + 10")
    assert take_keyed(db, worker) == []


def test_what_has_a_rate_is_claimed_for_free_slots_alone(db: Conn) -> None:
    rule(db, "key", "fast", starts=100, period=60.0)
    for _ in range(9):
        enqueue(db, limit_key="fast")
        enqueue(db, limit_key="other")
    taken = take_keyed(db, enlist(db), 12, free=2)
    keys = db.execute("select limit_key, count(*) from pgqueue.jobs where worker is not null group by 1").fetchall()
    assert dict(keys)["fast"] <= 2
    assert len(taken) > 2
