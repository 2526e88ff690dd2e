"""Cancelling what runs: the worker is told, and whatever becomes of the attempt, the job does not run again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from pgqueue.job import Claim
from pgqueue.store import execute, jobs, workers
from tests.conftest import Connect
from tests.factories import (
    HOUR,
    LEASE,
    Conn,
    claim,
    claim_one,
    count,
    enlist,
    enqueue,
    fail,
    job,
    lose,
    outcomes,
    release,
    settle,
    state,
)

Move = Callable[[Conn, Claim], Any]

GIVE_BACK: dict[str, tuple[Move, list[str]]] = {
    "fail": (fail, ["failed"]),
    "fail later": (lambda conn, taken: fail(conn, taken, HOUR), ["failed"]),
    "exhaust": (lambda conn, taken: fail(conn, taken, None), ["failed"]),
    "release": (release, ["released"]),
    "release unstarted": (lambda conn, taken: release(conn, taken, started=False), []),
    "disown": (lambda conn, taken: execute(conn, jobs.disown(taken.worker, [], 1)), []),
    "reap": (lose, ["lost"]),
}


def cancelled(conn: Conn) -> Claim:
    """A running job that is no longer wanted."""
    taken = claim_one(conn, {"n": 1}, unique_key="k")
    assert execute(conn, jobs.cancel(taken.id)) == "running"
    return taken


@pytest.mark.parametrize("name", GIVE_BACK)
def test_p2_a_cancelled_job_that_is_given_back_has_ended(db: Conn, name: str) -> None:
    move, recorded = GIVE_BACK[name]
    taken = cancelled(db)
    move(db, taken)
    assert outcomes(db, taken.id) == [*recorded, "cancelled"]
    found = job(db, taken.id)
    assert (found.state, found.reason, found.args) == ("cancelled", "cancelled while it ran", {"n": 1})
    assert (count(db, "cancellations"), count(db, "dead_jobs"), count(db, "jobs")) == (0, 0, 0)
    assert enqueue(db, unique_key="k") != taken.id


@pytest.mark.parametrize("again", [fail, release, lambda conn, taken: release(conn, taken, started=False)])
def test_p5_a_settlement_of_a_cancelled_job_may_be_repeated(db: Conn, again: Move) -> None:
    taken = cancelled(db)
    assert again(db, taken) == frozenset()
    assert again(db, taken) == frozenset()


def test_success_wins_over_a_cancellation(db: Conn) -> None:
    taken = cancelled(db)
    assert settle(db, taken) == frozenset()
    assert (state(db, taken.id), count(db, "cancellations")) == ("succeeded", 0)


def test_a_completion_wins_over_a_cancellation(db: Conn) -> None:
    taken = cancelled(db)
    assert execute(db, jobs.complete(taken, None))
    assert (state(db, taken.id), count(db, "cancellations")) == ("succeeded", 0)


@pytest.mark.parametrize("reason", ["buried", "refused", "unreadable"])
def test_a_burial_that_was_asked_for_wins_over_a_cancellation(db: Conn, reason: str) -> None:
    taken = cancelled(db)
    fail(db, taken, None, reason=reason)
    assert (state(db, taken.id), count(db, "cancellations")) == ("dead", 0)


def test_cancelling_twice_is_cancelling_once(db: Conn) -> None:
    taken = cancelled(db)
    assert execute(db, jobs.cancel(taken.id)) == "running"
    assert count(db, "cancellations") == 1


def test_a_retry_takes_a_cancellation_back(db: Conn) -> None:
    taken = cancelled(db)
    assert execute(db, jobs.retry(taken.id)) == "running"
    fail(db, taken)
    assert state(db, taken.id) == "ready"


def test_a_heartbeat_answers_what_is_cancelled_of_its_own(db: Conn) -> None:
    mine, others = cancelled(db), claim_one(db)
    assert execute(db, workers.heartbeat(mine.worker, LEASE)).cancelled == {mine.id}
    assert execute(db, workers.heartbeat(others.worker, LEASE)).cancelled == frozenset()
    settle(db, mine)
    assert execute(db, workers.heartbeat(mine.worker, LEASE)).cancelled == frozenset()


def test_the_worker_of_a_cancelled_job_is_told_to_look(db: Conn, connect: Connect) -> None:
    taken = claim_one(db)
    hearing = connect(autocommit=True)
    hearing.execute(f"listen pgqueue_{taken.worker}")
    execute(db, jobs.cancel(taken.id))
    assert [note.payload for note in hearing.notifies(timeout=10, stop_after=1)] == ["look"]


def test_p2_a_cancellation_that_was_committed_behind_a_failure_is_carried_out_by_the_reaper(
    db: Conn, connect: Connect
) -> None:
    taken = claim_one(db)
    people = connect()
    execute(people, jobs.cancel(taken.id))
    fail(db, taken)
    assert state(db, taken.id) == "ready"
    people.commit()
    execute(db, workers.reap())
    assert (state(db, taken.id), count(db, "cancellations")) == ("cancelled", 0)


def test_a_cancellation_that_was_committed_behind_a_success_is_forgotten_by_the_reaper(
    db: Conn, connect: Connect
) -> None:
    taken = claim_one(db)
    people = connect()
    execute(people, jobs.cancel(taken.id))
    settle(db, taken)
    people.commit()
    execute(db, workers.reap())
    assert (state(db, taken.id), count(db, "cancellations")) == ("succeeded", 0)


@pytest.mark.parametrize("move", [settle, fail, release, lose])
@pytest.mark.parametrize("first", [jobs.cancel, jobs.retry])
def test_p11_an_open_transaction_of_a_human_holds_up_no_settlement(
    db: Conn, connect: Connect, first: Any, move: Move
) -> None:
    taken = cancelled(db)
    execute(connect(), first(taken.id))
    db.execute("set lock_timeout = '1s'")
    move(db, taken)
    assert state(db, taken.id) in ("succeeded", "cancelled")


def test_a_job_that_expired_may_end_as_cancelled_and_is_not_counted(db: Conn) -> None:
    taken = claim_one(db)
    fail(db, taken, None, outcome="cancelled", reason="expired")
    assert (job(db, taken.id).state, job(db, taken.id).attempt) == ("cancelled", 0)


@pytest.mark.parametrize(
    ("asked", "what"),
    [
        (["quiet"], "quiet"),
        (["quiet", "resume"], None),
        (["stop", "resume"], "stop"),
        (["stop", "quiet"], "stop"),
        (["evict", "stop"], "evict"),
    ],
)
def test_a_heartbeat_answers_what_its_worker_is_asked(db: Conn, asked: list[Any], what: str | None) -> None:
    worker = enlist(db)
    for each in asked:
        assert execute(db, workers.ask(worker, each))
    answer = execute(db, workers.heartbeat(worker, LEASE))
    assert (answer.asked, answer.alive) == (what, what != "evict")


def test_p6_an_evicted_worker_claims_nothing_and_its_jobs_go_to_others(db: Conn) -> None:
    taken = claim_one(db)
    enqueue(db)
    execute(db, workers.ask(taken.worker, "evict"))
    assert claim(db, taken.worker) == []
    assert execute(db, workers.reap()).jobs == {taken.worker: 1}


def test_who_asks_a_worker_that_is_not_there_is_told(db: Conn) -> None:
    assert execute(db, workers.ask(1, "stop")) is False


def test_a_worker_cannot_be_asked_for_something_else(db: Conn) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="quiet, resume, stop or evict"):
        db.execute("select pgqueue.ask(1, 'dance')")
