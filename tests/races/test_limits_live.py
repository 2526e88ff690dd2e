"""Rules that come, change and go while jobs run; and what reconciliation mends."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import pgqueue
from pgqueue.job import Claim
from pgqueue.store import execute, jobs, keyed
from tests.conftest import Connect
from tests.factories import TARGET, Conn, claim, enlist, enqueue, fail, release, settle
from tests.limits import claim_keyed, holds, rule, stray_holds, take_keyed
from tests.races.interleave import Sides
from tests.waiting import wait_until

SCOPES = {"key": "a*", "queue": "default", "task": TARGET}


@pytest.mark.parametrize("scope", SCOPES)
def test_a_rule_counts_the_jobs_that_ran_before_it(connect: Connect, scope: str) -> None:
    conn = connect(autocommit=True)
    worker = enlist(conn)
    for _ in range(3):
        enqueue(conn, limit_key="a1" if scope == "key" else None)
    running = take_keyed(conn, worker, 2) if scope == "key" else claim(conn, worker, 2)
    pgqueue.set_limit(conn, scope, SCOPES[scope], concurrency=2)
    found = claim_keyed(conn, worker)
    if scope == "task":
        # Its jobs get their lane by this look.
        found = claim_keyed(conn, worker)
    assert found.unadopted
    assert found.step.claims == []
    assert execute(conn, keyed.adopt())
    assert list(holds(conn).values()) == [2]
    assert take_keyed(conn, worker) == []
    settle(conn, running[0])
    assert len(take_keyed(conn, worker)) == 1
    assert stray_holds(conn) == 0


def test_a_rule_waits_for_the_claims_in_flight_that_did_not_know_it(connect: Connect) -> None:
    one, two, three = connect(), connect(autocommit=True), connect(autocommit=True)
    for _ in range(2):
        enqueue(two)
    worker = enlist(two)
    (taken,) = claim(one, worker, 1)
    pgqueue.set_limit(two, "queue", "default", concurrency=1)
    with ThreadPoolExecutor() as pool:
        adopting = pool.submit(lambda: execute(three, keyed.adopt()))
        wait_until(lambda: _sleeps(two, three), message="it waits for the claim")
        assert claim_keyed(two, worker).unadopted
        one.commit()
        assert adopting.result(10)
    assert holds(two) == {"q:default": 1}
    assert take_keyed(two, worker) == []
    settle(two, taken)
    assert len(take_keyed(two, worker)) == 1


ENDS: dict[str, Callable[[Conn, Claim], object]] = {
    "settle": settle,
    "fail": fail,
    "release": release,
    "complete": lambda conn, taken: execute(conn, jobs.complete(taken, None)),
}


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("end", ENDS)
def test_a_share_that_a_job_gets_while_it_ends_goes_with_it(
    connect: Connect, sides: Sides, scope: str, end: str
) -> None:
    adopting, ending = connect(), connect(autocommit=True)
    enqueue(ending, limit_key="a1" if scope == "key" else None)
    worker = enlist(ending)
    (taken,) = take_keyed(ending, worker, 1) if scope == "key" else claim(ending, worker, 1)
    pgqueue.set_limit(ending, scope, SCOPES[scope], concurrency=2)
    assert execute(adopting, keyed.adopt())
    ended = sides.blocked(ending, ENDS[end], taken)
    adopting.commit()
    ended.result(10)
    assert holds(ending) == {}
    assert stray_holds(ending) == 0


def _sleeps(observer: Conn, other: Conn) -> bool:
    row = observer.execute(
        "select wait_event = 'PgSleep' from pg_stat_activity where pid = %s", [other.info.backend_pid]
    ).fetchone()
    return bool(row and row[0])


def test_a_number_that_is_lowered_or_raised_holds_from_the_next_claim_on(connect: Connect) -> None:
    conn = connect(autocommit=True)
    pgqueue.set_limit(conn, "key", "a", concurrency=3)
    execute(conn, keyed.adopt())
    for _ in range(9):
        enqueue(conn, limit_key="a")
    worker = enlist(conn)
    running = take_keyed(conn, worker)
    assert len(running) == 3
    pgqueue.set_limit(conn, "key", "a", concurrency=1)
    settle(conn, *running[:2])
    assert take_keyed(conn, worker) == []
    pgqueue.set_limit(conn, "key", "a", concurrency=4)
    assert len(take_keyed(conn, worker)) == 3


def test_a_rule_that_is_gone_leaves_its_key_to_the_next_shorter_one(connect: Connect) -> None:
    conn = connect(autocommit=True)
    pgqueue.set_limit(conn, "key", "a*", concurrency=1)
    pgqueue.set_limit(conn, "key", "a:vip")
    execute(conn, keyed.adopt())
    for _ in range(5):
        enqueue(conn, limit_key="a:vip")
    worker = enlist(conn)
    assert len(take_keyed(conn, worker, 3)) == 3
    pgqueue.remove_limit(conn, "key", "a:vip")
    assert claim_keyed(conn, worker).unadopted
    execute(conn, keyed.adopt())
    assert holds(conn) == {"k:a:vip": 3}
    assert take_keyed(conn, worker) == []


def test_jobs_of_a_queue_whose_limit_is_gone_are_ordinary_again(connect: Connect) -> None:
    conn = connect(autocommit=True)
    pgqueue.set_limit(conn, "queue", "default", concurrency=1)
    enqueue(conn)
    worker = enlist(conn)
    assert claim(conn, worker) == []
    pgqueue.remove_limit(conn, "queue", "default")
    assert len(claim(conn, worker)) == 1


DAMAGE = {
    "a share is deleted": ("delete from pgqueue.holds", (0, 2, 0)),
    "a job is deleted": ("delete from pgqueue.jobs", (2, 0, 0)),
    "a job loses its number": ("update pgqueue.jobs set hold = null", (2, 2, 0)),
    "a share is made up": (
        "insert into pgqueue.holds (name, seq, job_id, worker) values ('k:a', 1, gen_random_uuid(), 1)",
        (1, 0, 0),
    ),
    "a job is out of its lane": ("update pgqueue.jobs set lane = null, lined = null where worker is null", (0, 0, 1)),
    "a share of other code has run out": (
        "insert into pgqueue.holds (name, seq, expires_at) values ('k:a', 1, now() - interval '1 second')",
        (1, 0, 0),
    ),
    "nothing": ("select", (0, 0, 0)),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_reconciliation_mends_what_hands_have_done(connect: Connect, damage: str) -> None:
    conn = connect(autocommit=True)
    rule(conn, "key", "a", concurrency=2)
    for _ in range(3):
        enqueue(conn, limit_key="a")
    worker = enlist(conn)
    assert len(take_keyed(conn, worker)) == 2
    what, mended = DAMAGE[damage]
    conn.execute(what)
    assert tuple(execute(conn, keyed.reconcile())) == mended
    assert stray_holds(conn) == 0
    assert tuple(execute(conn, keyed.reconcile())) == (0, 0, 0)
    conn.execute("update pgqueue.jobs set worker = null, hold = null where worker is not null")
    execute(conn, keyed.reconcile())
    assert holds(conn) == {}


def test_reconciliation_takes_no_share_of_a_claim_in_flight(connect: Connect) -> None:
    one, two = connect(), connect(autocommit=True)
    rule(two, "key", "a", concurrency=2)
    for _ in range(2):
        enqueue(two, limit_key="a")
    worker = enlist(two)
    take_keyed(two, worker, 1)
    take_keyed(one, worker, 1)
    assert tuple(execute(two, keyed.reconcile())) == (0, 0, 0)
    one.commit()
    assert tuple(execute(two, keyed.reconcile())) == (0, 0, 0)
    assert holds(two) == {"k:a": 2}


def test_one_reconciles_at_a_time(connect: Connect) -> None:
    one, two = connect(), connect(autocommit=True)
    execute(one, keyed.reconcile())
    two.execute("insert into pgqueue.holds (name, seq, job_id) values ('k:a', 1, gen_random_uuid())")
    nothing: Any = tuple(execute(two, keyed.reconcile()))
    assert nothing == (0, 0, 0)
    one.commit()
    assert execute(two, keyed.reconcile()).dropped == 1
