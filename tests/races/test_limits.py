"""Limits under competition: two claims of one lane in flight, and a storm of all moves at once."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from pgqueue.job import Claim
from pgqueue.store import execute, jobs
from tests.conftest import Connect
from tests.factories import TARGET, Conn, disown, enlist, enqueue, epoch, expire, fail, reap, release, settle
from tests.limits import claim_keyed, holds, most_at_once, rule, stray_holds, take_keyed

SCOPES = {"key": "a", "queue": "default", "task": TARGET}


def without_lock(conn: Conn) -> None:
    """Plant the bug: a claim believes that it has every lock."""
    for name in ("lane_rooms", "claim_lanes"):
        row = conn.execute(
            "select pg_get_functiondef(oid) from pg_proc where pronamespace = 'pgqueue'::regnamespace and proname = %s",
            [name],
        ).fetchone()
        assert row is not None
        text = row[0]
        assert "pg_try_advisory_xact_lock(" in text
        conn.execute(text.replace("pg_try_advisory_xact_lock(", "int4ge(").replace("int4ge(7710, ", "int4eq(0, 0 * "))
    conn.commit()


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("bug", [False, True], ids=["as it is", "without the lock"])
def test_of_two_claims_in_flight_one_takes_the_last_share(connect: Connect, scope: str, bug: bool) -> None:
    one, two = connect(), connect(autocommit=True)
    rule(two, scope, SCOPES[scope], concurrency=1)
    for _ in range(2):
        enqueue(two, limit_key="a")
    # A job of a limited task gets its lane by a look; both are to be in line.
    assert take_keyed(two, enlist(two), 0) == []
    first, second = enlist(two), enlist(two)
    if bug:
        without_lock(two)
    assert len(take_keyed(one, first)) == 1
    rival = claim_keyed(two, second)
    one.commit()
    running = two.execute("select count(*) from pgqueue.jobs where worker is not null").fetchone()
    assert running == (2 if bug else 1,)
    assert rival.busy is not bug
    if not bug:
        assert take_keyed(two, second) == []


def test_a_share_that_is_given_back_in_an_open_transaction_is_not_free_yet(connect: Connect) -> None:
    one, two = connect(), connect(autocommit=True)
    rule(two, "key", "a", concurrency=1)
    for _ in range(2):
        enqueue(two, limit_key="a")
    (taken,) = take_keyed(two, enlist(two))
    execute(one, jobs.complete(taken, None))
    # Nobody waits for that transaction, either.
    assert take_keyed(two, enlist(two)) == []
    one.rollback()
    assert take_keyed(two, enlist(two)) == []
    execute(one, jobs.complete(taken, None))
    one.commit()
    assert len(take_keyed(two, enlist(two))) == 1


class Storm:
    """Workers without processes: each claims, and ends what it claimed, in every way there is."""

    def __init__(self, connect: Connect, seconds: float) -> None:
        self._connect = connect
        self._until = time.monotonic() + seconds
        self.errors: list[BaseException] = []
        self.claimed = 0

    def run(self, workers: int) -> None:
        threads = [
            threading.Thread(target=self._guarded, args=(self._connect(autocommit=True),)) for _ in range(workers)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _guarded(self, conn: Conn) -> None:
        try:
            self._work(conn)
        except BaseException as error:
            self.errors.append(error)

    def _work(self, conn: Conn) -> None:
        worker = enlist(conn)
        held: list[Claim] = []
        chance = random.Random(worker)
        while time.monotonic() < self._until:
            taken = take_keyed(conn, worker, chance.choice([1, 3, 20]))
            self.claimed += len(taken)
            held += taken
            chance.shuffle(held)
            ending, held = held[: chance.randrange(1, 8)], held[8:] if chance.random() < 0.3 else held[len(held) // 2 :]
            for each in ending:
                self._end(conn, each, chance)
            if chance.random() < 0.1:
                disown(conn, worker, [])
                held = []
            if chance.random() < 0.1:
                expire(conn, worker)
                reap(conn)
                worker, held = enlist(conn), []

    @staticmethod
    def _end(conn: Conn, taken: Claim, chance: random.Random) -> None:
        how: Callable[[Conn, Claim], Any] = chance.choice([settle, settle, fail, release, Storm._complete])
        how(conn, taken)
        # A job more for each: the lanes never run dry.
        enqueue(conn, limit_key=f"k{chance.randrange(6)}")

    @staticmethod
    def _complete(conn: Conn, taken: Claim) -> None:
        with conn.transaction():
            if execute(conn, jobs.complete(taken, None)):
                time.sleep(0.002)


def test_limits_hold_in_a_storm_of_all_moves(connect: Connect) -> None:
    conn = connect(autocommit=True)
    rule(conn, "key", "k*", concurrency=2)
    rule(conn, "key", "k1", concurrency=1)
    rule(conn, "task", TARGET, concurrency=7)
    for number in range(120):
        enqueue(conn, limit_key=f"k{number % 6}")
    storm = Storm(connect, 3.0)
    storm.run(5)
    assert storm.errors == []
    most = most_at_once(conn)
    assert storm.claimed > 100
    assert most.pop("k1") == 1
    assert max(most.values()) == 2
    assert max(most_at_once(conn, "target").values()) <= 7
    assert stray_holds(conn) == 0
    conn.execute("update pgqueue.workers set expires_at = now()")
    reap(conn)
    assert holds(conn) == {}


def test_a_claim_of_an_epoch_that_passed_meanwhile_is_undone_with_its_shares(connect: Connect) -> None:
    one, two = connect(), connect(autocommit=True)
    rule(two, "key", "a", concurrency=1)
    enqueue(two, limit_key="a")
    worker = enlist(two)
    reaper = connect()
    expire(two, worker)
    reaper.execute("select from pgqueue.workers where id = %s for update", [worker])
    two.execute("update pgqueue.workers set expires_at = now() + interval '1 minute' where false")
    assert claim_keyed(one, worker, at=epoch(two, worker)).step.claims == []
    one.rollback()
    reaper.rollback()
    two.execute("update pgqueue.workers set expires_at = now() + interval '1 minute'")
    reaper.execute("select from pgqueue.workers where id = %s for update", [worker])
    with pytest.raises(psycopg.errors.SerializationFailure):
        claim_keyed(one, worker, at=0)
    one.rollback()
    assert holds(two) == {}
