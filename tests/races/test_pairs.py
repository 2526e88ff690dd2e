"""Every move against every other, from every state that matters, in both orders, with a commit and with a rollback.

The first move is done and stays uncommitted, the second begins; it ends, or waits for a lock. Then the first commits or
rolls back. What is left must be what one of the orders one after the other leaves, or, where the second waits for
nobody and passes by, what the first leaves alone.
"""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

import pytest

from pgqueue.job import Claim
from pgqueue.store import execute, jobs, workers
from tests.conftest import Connect
from tests.factories import HOUR, LEASE, Conn, claim, disown, enlist, enqueue, expire, fail, reap, release, settle

PATIENCE = 20.0
TIDY_EVERY = 50
TABLES = ("jobs", "attempts", "results", "dead_jobs", "workers", "cancellations", "parked")
UNTIL_START = {"unique_key": "k", "unique_until": "start"}


@dataclass
class Case:
    """One job, its latest token, and a worker that may claim."""

    job: Any
    claim: Claim
    claimer: int
    key: dict[str, Any]
    before: str = ""


Move = Callable[[Conn, Case], Any]


def complete(conn: Conn, case: Case) -> Any:
    return execute(conn, jobs.complete(case.claim, None))


def delete(conn: Conn, case: Case) -> None:
    conn.execute("delete from pgqueue.jobs where id = %s", [case.job])


MOVES: dict[str, Move] = {
    "claim": lambda conn, case: claim(conn, case.claimer, 5),
    "settle": lambda conn, case: settle(conn, case.claim),
    "complete": complete,
    "fail": lambda conn, case: fail(conn, case.claim),
    "bury": lambda conn, case: fail(conn, case.claim, None, reason="buried"),
    "release": lambda conn, case: release(conn, case.claim, started=False),
    "snooze": lambda conn, case: release(conn, case.claim, HOUR),
    "disown": lambda conn, case: disown(conn, case.claim.worker, []),
    "reap": lambda conn, case: reap(conn),
    "reap orphans": lambda conn, case: execute(conn, workers.reap_orphans()),
    "heartbeat": lambda conn, case: execute(conn, workers.heartbeat(case.claim.worker, LEASE)),
    "cancel": lambda conn, case: execute(conn, jobs.cancel(case.job)),
    "retry": lambda conn, case: execute(conn, jobs.retry(case.job)),
    "retry all": lambda conn, case: conn.execute("select * from pgqueue.retry_dead(null, null, null, 10)"),
    "purge": lambda conn, case: conn.execute(
        "select * from pgqueue.forget_dead(null, null, now() + interval '1 day', null, 10)"
    ),
    "enqueue": lambda conn, case: enqueue(conn, **case.key),
    "delete": delete,
}
# What makes a job live again, or forgets it; nothing else may touch one that has ended.
REVIVING = {"retry", "retry all", "purge", "enqueue", "delete"}


def running(_conn: Conn, _case: Case) -> None:
    """As claimed."""


def orphaned(conn: Conn, case: Case) -> None:
    conn.execute("delete from pgqueue.workers where id = %s", [case.claim.worker])


STATES: dict[str, Callable[[Conn, Case], Any]] = {
    "running": running,
    "unwanted": lambda conn, case: execute(conn, jobs.cancel(case.job)),
    "expired": lambda conn, case: expire(conn, case.claim.worker),
    "orphaned": orphaned,
    "ready": lambda conn, case: fail(conn, case.claim),
    "retrying": lambda conn, case: fail(conn, case.claim, HOUR),
    "dead": lambda conn, case: fail(conn, case.claim, None),
    "succeeded": lambda conn, case: settle(conn, case.claim),
}


@dataclass
class Pairs:
    """Runs pairs of moves, and remembers what they leave one after the other."""

    db: Conn
    one: Conn
    two: Conn
    pool: ThreadPoolExecutor
    key: dict[str, Any]
    serial: dict[tuple[str, ...], Any] = field(default_factory=dict)
    begun: int = 0

    def begin(self, state: str) -> Case:
        if self.begun % TIDY_EVERY == 0:
            # Thousands of dead rows would be read by every reap.
            self.db.execute(f"truncate {', '.join(f'pgqueue.{table}' for table in TABLES)}")
        self.begun += 1
        self.db.execute("; ".join(f"delete from pgqueue.{table}" for table in TABLES))
        worker, claimer = enlist(self.db), enlist(self.db)
        made = enqueue(self.db, **self.key)
        (taken,) = claim(self.db, worker)
        case = Case(made, taken, claimer, self.key)
        STATES[state](self.db, case)
        case.before = self._state(case)
        return case

    def alone(self, state: str, *moves: str) -> Any:
        """What the moves leave one after the other."""
        if (state, *moves) not in self.serial:
            case = self.begin(state)
            for move in moves:
                MOVES[move](self.db, case)
            self.serial[(state, *moves)] = self.left(case)
        return self.serial[(state, *moves)]

    def check(self, state: str, first: str, second: str, end: str) -> None:
        if end == "commit":
            allowed = [self.alone(state, *order) for order in ((first, second), (second, first), (first,))]
        else:
            allowed = [self.alone(state, second), self.alone(state)]
        case = self.begin(state)
        MOVES[first](self.one, case)
        moving = self.pool.submit(MOVES[second], self.two, case)
        deadline = time.monotonic() + PATIENCE
        while not wait([moving], timeout=0.001).done and not self._waits():
            assert time.monotonic() < deadline, "the second move neither ends nor waits"
        getattr(self.one, end)()
        moving.result(20)
        self.two.commit()
        told = f"{first} ({end}) against {second} from {state}"
        assert self.left(case) in allowed, told
        if case.before in ("succeeded", "dead") and not {first, second} & REVIVING:
            assert self._state(case) == case.before, told

    def _waits(self) -> bool:
        row = self.db.execute("select pg_blocking_pids(%s) <> '{}'", [self.two.info.backend_pid]).fetchone()
        return bool(row and row[0])

    def left(self, case: Case) -> Any:
        """The job, wherever it is (once at most), its history, and who has its key, when all is tidied up."""
        # A cancellation that was committed behind the job's return to waiting.
        self.db.execute("select pgqueue.tidy_cancellations()")
        found = self.db.execute(
            "select state, attempt, worker is not null, run_at > now() from pgqueue.job where id = %s", [case.job]
        ).fetchall()
        assert len(found) <= 1, found
        told = self.db.execute(
            "select claim, attempt, outcome from pgqueue.attempts where job_id = %s order by claim", [case.job]
        ).fetchall()
        holders = self.db.execute("select id = %s from pgqueue.jobs where unique_key = 'k'", [case.job]).fetchall()
        assert len(holders) <= 1
        return found, told, holders

    def _state(self, case: Case) -> str:
        row = self.db.execute("select state from pgqueue.job where id = %s", [case.job]).fetchone()
        return str(row[0]) if row else "gone"


@pytest.fixture
def pairs(connect: Connect) -> Any:
    with ThreadPoolExecutor(1) as pool:
        made = Pairs(connect(autocommit=True), connect(), connect(), pool, {"unique_key": "k"})
        for conn in (made.db, made.one, made.two):
            conn.execute("set deadlock_timeout = '100ms'")
            conn.execute("set statement_timeout = '20s'")
        made.one.commit()
        made.two.commit()
        yield made


ENDS = ("commit", "rollback")
ALL = list(itertools.product(STATES, MOVES, MOVES, ENDS))


def test_p2_p5_p10_some_pairs_of_moves_taken_by_chance_leave_what_one_order_leaves(pairs: Pairs) -> None:
    for state, first, second, end in random.Random(1).sample(ALL, 15):
        pairs.check(state, first, second, end)


def test_p2_p5_p10_some_pairs_of_moves_of_a_job_that_is_unique_until_its_start(pairs: Pairs) -> None:
    pairs.key = UNTIL_START
    for state, first, second, end in random.Random(2).sample(ALL, 15):
        pairs.check(state, first, second, end)


@pytest.mark.faults
@pytest.mark.parametrize("state", STATES)
def test_p2_p5_p10_each_pair_of_moves_at_once_leaves_what_one_order_leaves(pairs: Pairs, state: str) -> None:
    wrong = []
    for first, second, end in itertools.product(MOVES, MOVES, ENDS):
        try:
            pairs.check(state, first, second, end)
        except AssertionError as error:
            wrong.append(str(error).splitlines()[0])
    assert wrong == []
    assert _deadlocks(pairs.db) == 0


def _deadlocks(conn: Conn) -> int:
    conn.execute("select pg_stat_force_next_flush()")
    row = conn.execute("select deadlocks from pg_stat_database where datname = current_database()").fetchone()
    return int(row[0]) if row else -1
