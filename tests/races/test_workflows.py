"""Gates between two connections: nobody who settles waits, nothing is released twice or never."""

from __future__ import annotations

import random
import threading
import time
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from pgqueue.job import JobState
from pgqueue.store import execute, jobs
from tests.conftest import Connect
from tests.factories import Conn, claim, count, enlist, fail, outcomes, settle, state, success
from tests.store import flows
from tests.store.flows import Flow, chord, job, look, taken, write, wrong
from tests.waiting import wait_until

# Nobody is to wait for a lock here.
IMPATIENT = {"options": "-c lock_timeout=2s -c deadlock_timeout=100ms"}


@pytest.fixture
def db(connect: Connect) -> Conn:
    return connect(autocommit=True, **IMPATIENT)


@pytest.mark.parametrize("ends", ["commit", "rollback"])
@pytest.mark.parametrize("level", ["read committed", "repeatable read"])
def test_an_open_transaction_that_has_completed_a_member_holds_up_nobody(
    db: Conn, connect: Connect, ends: str, level: str
) -> None:
    flow = chord(db, 2)
    first, second = taken(db, flow, "m1", "m2")
    slow = connect()
    slow.execute(f"set transaction isolation level {level}")
    assert execute(slow, jobs.complete(first, "1"))
    settle(db, second)
    look(db)
    assert state(db, flow.jobs["then"]) is JobState.WAITING
    getattr(slow, ends)()
    look(db)
    if ends == "rollback":
        assert state(db, flow.jobs["then"]) is JobState.WAITING
        settle(db, first)
    assert state(db, flow.jobs["then"]) is JobState.READY
    assert wrong(db, flow) == {}


@pytest.mark.parametrize("ends", ["commit", "rollback"])
def test_a_waiting_job_that_is_being_cancelled_holds_up_neither_its_gate_nor_others(
    db: Conn, connect: Connect, ends: str
) -> None:
    flow = write(db, {"a": job(on=[1]), "b": job(1, on=[2]), "c": job(1, on=[2]), "then": job(2)}, {1: 1, 2: 2})
    (held,) = taken(db, flow, "a")
    other = connect()
    assert execute(other, jobs.cancel(flow.jobs["b"])) is JobState.CANCELLED
    settle(db, held)
    assert (state(db, flow.jobs["b"]), state(db, flow.jobs["c"])) == (JobState.WAITING, JobState.READY)
    getattr(other, ends)()
    db.execute("update pgqueue.arrivals set again_at = null")
    look(db)
    expected = (JobState.CANCELLED, JobState.CANCELLED) if ends == "commit" else (JobState.READY, JobState.WAITING)
    assert (state(db, flow.jobs["b"]), state(db, flow.jobs["then"])) == expected
    assert wrong(db, flow) == {}


def test_a_cancel_meets_the_job_wherever_its_release_has_brought_it(db: Conn, connect: Connect) -> None:
    flow = flows.chain(db, 2)
    (held,) = taken(db, flow, "1")
    slow = connect()
    assert execute(slow, jobs.complete(held, "1"))
    found: list[Any] = []
    other = connect(autocommit=True)
    waiter = threading.Thread(target=lambda: found.append(execute(other, jobs.cancel(flow.jobs["2"]))))
    waiter.start()
    wait_until(lambda: _waits(db, other))
    slow.commit()
    waiter.join(10)
    assert found == [JobState.CANCELLED]
    assert outcomes(db, flow.jobs["2"]) == ["cancelled"]


def test_who_closes_a_group_waits_for_who_adds_to_it_and_settlements_for_neither(db: Conn, connect: Connect) -> None:
    node = {"open": True, "total": 0, "success_links": [1]}
    flow = write(db, {"then": job(1)}, {1: 1}, {1: {}, 7: node})
    add = 'select pgqueue.add_members(%s, 7, \'{"jobs": [{"own": true, "target": "shop:x"}]}\')'
    db.execute(add, [flow.id])
    (first,) = claim(db, enlist(db), 1)
    adders = [connect(), connect()]
    for each in adders:
        each.execute("set lock_timeout = '2s'")
        each.execute(add, [flow.id])
    closer = connect(autocommit=True)
    closing = threading.Thread(target=lambda: closer.execute("select pgqueue.close_group(%s, 7)", [flow.id]))
    closing.start()
    wait_until(lambda: _waits(db, closer))
    settle(db, first)
    for each in adders:
        each.commit()
    closing.join(10)
    look(db)
    assert state(db, flow.jobs["then"]) is JobState.WAITING
    worker = enlist(db, concurrency=2)
    settle(db, *claim(db, worker, 2))
    assert state(db, flow.jobs["then"]) is JobState.READY
    assert wrong(db, flow) == {}


def test_no_settlement_waits_for_a_gate_that_somebody_has_locked(db: Conn, connect: Connect) -> None:
    flow = chord(db, 3, end=True)
    first, second, third = taken(db, flow, "m1", "m2", "m3")
    other = connect()
    other.execute("select from pgqueue.gates where workflow_id = %s for update", [flow.id])
    settle(db, first)
    fail(db, second, None)
    assert execute(db, jobs.complete(third, "1"))
    assert execute(db, jobs.cancel(flow.jobs["then"])) is JobState.CANCELLED
    db.execute("select pgqueue.reap()")
    # Counts of one gate are one row a settlement.
    assert count(db, "arrivals") == 5
    other.rollback()
    look(db)
    assert state(db, flow.jobs["end"]) is JobState.READY
    assert count(db, "arrivals") == 0


def _waits(watcher: Conn, who: psycopg.Connection[Any]) -> bool:
    sql = "select wait_event_type = 'Lock' from pg_stat_activity where pid = %s"
    row = watcher.execute(sql, [who.info.backend_pid]).fetchone()
    return bool(row and row[0])


class Settler(threading.Thread):
    """A worker that settles what it claims in every way, in batches of any size, until it is told to end."""

    def __init__(self, dsn: str, seed: int) -> None:
        super().__init__(daemon=True)
        self.dsn = dsn
        self.chance = random.Random(seed)
        self.ending = threading.Event()
        self.faults: list[BaseException] = []

    def run(self) -> None:
        try:
            with psycopg.connect(self.dsn, autocommit=True) as conn, psycopg.connect(self.dsn) as own:
                worker = enlist(conn, lease=600, concurrency=50)
                while not self.ending.is_set():
                    self.turn(conn, own, worker)
        except BaseException as fault:
            self.faults.append(fault)

    def turn(self, conn: Conn, own: Conn, worker: int) -> None:
        """Claim some, and end each."""
        batch = claim(conn, worker, self.chance.choice([1, 2, 5, 30]))
        done, rest = [], []
        for each in batch:
            (done if self.chance.random() < 0.6 else rest).append(each)
        for each in rest:
            way = self.chance.random()
            if way < 0.1:
                fail(conn, each, None)
            elif way < 0.2:
                fail(conn, each, 0.0)
            else:
                assert execute(own, jobs.complete(each, "1"))
                time.sleep(self.chance.random() * 0.004)
                if way < 0.4:
                    own.rollback()
                    done.append(each)
                else:
                    own.commit()
        if done:
            settlements = [success(each, "1") for each in done]
            execute(conn, jobs.step(worker, settlements, [], _none(), 0))
        if not batch:
            time.sleep(0.005)


def _none() -> timedelta:

    return timedelta(0)


def test_many_workers_release_each_callback_once(db: Conn, dsn: str) -> None:
    made: list[Flow] = [chord(db, 1 + number % 17, end=True) for number in range(60)]
    settlers = [Settler(dsn, seed) for seed in range(6)]
    for each in settlers:
        each.start()

    def at_rest() -> bool:
        for flow in made:
            db.execute("select pgqueue.retry_workflow(%s)", [flow.id])
        db.execute("select pgqueue.tend_workflows()")
        return all(count(db, table) == 0 for table in ("jobs", "waiting", "dead_jobs", "gates", "arrivals"))

    try:
        wait_until(at_rest, 60)
    finally:
        for each in settlers:
            each.ending.set()
        for each in settlers:
            each.join(20)
    assert [fault for each in settlers for fault in each.faults] == []
    for flow in made:
        for name in ("then", "end"):
            assert outcomes(db, flow.jobs[name]).count("succeeded") == 1, name
    first = db.execute(
        """
        select count(*) from pgqueue.attempts as callback join pgqueue.attempts as member
          on member.workflow_id = callback.workflow_id and member.node = 1 and member.outcome = 'succeeded'
        where callback.node = 2 and callback.started_at < member.finished_at
        """
    ).fetchone()
    assert first == (0,)
