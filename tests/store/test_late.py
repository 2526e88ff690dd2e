"""P5: with any token but the current one nothing changes, the caller is told, and the late attempt is recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pgqueue.job import Claim
from pgqueue.outcome import Move, Settlement
from pgqueue.store import execute, jobs, reading
from tests.factories import Conn, claim, claim_one, enlist, fail, job, lose, outcomes, release, settle


def bury(conn: Conn, taken: Claim) -> Any:
    return fail(conn, taken, None)


SETTLEMENTS: list[Callable[[Conn, Claim], Any]] = [settle, fail, bury, release]


@pytest.mark.parametrize("move", SETTLEMENTS)
def test_p5_a_late_settlement_changes_nothing_while_the_job_waits(db: Conn, move: Any) -> None:
    taken = claim_one(db)
    lose(db, taken)
    before = job(db, taken.id)
    assert move(db, taken) == {taken.id}
    after = job(db, taken.id)
    assert (after.state, after.attempt, after.run_at) == (before.state, before.attempt, before.run_at)


@pytest.mark.parametrize("move", SETTLEMENTS)
def test_p5_a_late_settlement_changes_nothing_while_another_attempt_runs(db: Conn, move: Any) -> None:
    taken = claim_one(db)
    lose(db, taken)
    (current,) = claim(db, enlist(db))
    assert move(db, taken) == {taken.id}
    found = job(db, taken.id)
    assert (found.state, found.worker, found.attempt) == ("running", current.worker, 2)
    assert settle(db, current) == frozenset()


@pytest.mark.parametrize("move", SETTLEMENTS)
def test_p5_a_late_settlement_changes_nothing_after_the_end(db: Conn, move: Any) -> None:
    taken = claim_one(db)
    lose(db, taken)
    (current,) = claim(db, enlist(db))
    settle(db, current)
    before = job(db, taken.id)
    assert move(db, taken) == {taken.id}
    assert job(db, taken.id) == before


@pytest.mark.parametrize("move", SETTLEMENTS)
def test_p5_the_late_attempt_is_recorded_once(db: Conn, move: Any) -> None:
    taken = claim_one(db)
    lose(db, taken)
    assert outcomes(db, taken.id) == ["lost"]
    assert move(db, taken) == move(db, taken) == {taken.id}
    assert outcomes(db, taken.id) == ["late"]


def test_p5_an_attempt_that_stopped_itself_is_recorded_as_late(db: Conn) -> None:
    taken = claim_one(db)
    lose(db, taken)
    stopped = Settlement(taken.id, taken.claim, Move.LATE, "late")
    assert execute(db, jobs.late(taken.worker, [stopped])) == {taken.id}
    assert outcomes(db, taken.id) == ["late"]


@pytest.mark.parametrize("first", SETTLEMENTS)
@pytest.mark.parametrize("second", SETTLEMENTS)
def test_p5_a_token_that_settled_once_is_told_if_it_settles_otherwise(db: Conn, first: Any, second: Any) -> None:
    taken = claim_one(db)
    first(db, taken)
    before = (job(db, taken.id), outcomes(db, taken.id))
    kinds = {settle: "success", release: "release"}
    same = kinds.get(first, "failure") == kinds.get(second, "failure")
    assert second(db, taken) == (frozenset() if same else {taken.id})
    assert (job(db, taken.id), outcomes(db, taken.id)) == before


def test_p5_a_late_completion_is_false_and_changes_nothing(db: Conn) -> None:
    taken = claim_one(db)
    lose(db, taken)
    before = job(db, taken.id)
    assert not execute(db, jobs.complete(taken, "1"))
    assert job(db, taken.id) == before
    assert execute(db, reading.result(taken.id)) == (False, None)


@pytest.mark.parametrize("change", [{"claim": 0}, {"claim": 2}, {"worker": 1}])
@pytest.mark.parametrize("move", SETTLEMENTS)
def test_p5_a_forged_token_settles_nothing(db: Conn, move: Any, change: dict[str, Any]) -> None:
    taken = claim_one(db)
    before = job(db, taken.id)
    assert move(db, taken._replace(**change)) == {taken.id}
    assert job(db, taken.id) == before
    assert settle(db, taken) == frozenset()


def test_p5_the_token_survives_death_and_revival(db: Conn) -> None:
    first = claim_one(db)
    bury(db, first)
    execute(db, jobs.retry(first.id))
    (second,) = claim(db, enlist(db))
    assert second.claim > first.claim
    assert settle(db, first) == {first.id}
    assert job(db, first.id).state == "running"
