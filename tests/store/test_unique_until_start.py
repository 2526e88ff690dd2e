"""P10: a key that a job holds until its start: no move after it takes one, so none can meet another's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from pgqueue.job import JobState, NewJob
from pgqueue.store import by_name, dead, enqueueing, execute, jobs
from tests.factories import (
    HOUR,
    TARGET,
    Conn,
    claim,
    claim_one,
    disown,
    enlist,
    fail,
    job,
    lose,
    release,
    settle,
    slots,
    state,
    step_as_before,
)
from tests.store.keyed import UNTIL_START, WAYS, bury, by_any, one
from tests.store.test_unknown import knowing, park


def keys(db: Conn) -> list[tuple[UUID, str | None, str | None]]:
    return db.execute(
        "select id, unique_key, start_key from pgqueue.jobs where queue = 'default' order by id"
    ).fetchall()


@WAYS
def test_p10_until_its_start_a_job_is_found_and_from_then_on_it_is_not(db: Conn, ask: str) -> None:
    first = by_any(ask, db, **UNTIL_START)
    assert by_any(ask, db, **UNTIL_START) == first
    (taken,) = claim(db, enlist(db))
    second = by_any(ask, db, **UNTIL_START)
    assert second != taken.id
    assert by_any(ask, db, **UNTIL_START) == second


def claim_by_step(db: Conn, _made: UUID) -> None:
    claim(db, enlist(db))


def claim_by_hand(db: Conn, made: UUID) -> None:
    assert execute(db, jobs.claim_one(enlist(db), made)) is not None


def claim_by_name(db: Conn, made: UUID) -> None:
    assert execute(db, by_name.claim(enlist(db), [made], slots(), 0)).claims


def claim_as_before(db: Conn, _made: UUID) -> None:
    step_as_before(db, enlist(db), 1)


@pytest.mark.parametrize("start", [claim_by_step, claim_by_hand, claim_by_name, claim_as_before])
def test_p10_every_way_to_claim_lets_go_of_the_key(db: Conn, start: Callable[[Conn, UUID], None]) -> None:
    made = one(db, **UNTIL_START).id
    held = one(db, unique_key="end", queue="other", delay=HOUR).id
    start(db, made)
    assert state(db, made) is JobState.RUNNING
    assert one(db, **UNTIL_START).created
    assert one(db, unique_key="end").id == held


def test_the_key_that_was_let_go_is_shown_with_the_job_in_every_state(db: Conn) -> None:
    made = []
    for end in (settle, GIVING_BACK["fail later"], bury):
        taken = claim_one(db, **UNTIL_START)
        assert job(db, taken.id).unique_key == "k"
        end(db, taken)
        made.append(taken.id)
    assert [(state(db, each), job(db, each).unique_key) for each in made] == [
        (JobState.SUCCEEDED, "k"),
        (JobState.RETRYING, "k"),
        (JobState.DEAD, "k"),
    ]


GIVING_BACK: dict[str, Callable[[Conn, Any], Any]] = {
    "fail": fail,
    "fail later": lambda db, taken: fail(db, taken, HOUR),
    "release": lambda db, taken: release(db, taken, started=False),
    "snooze": lambda db, taken: release(db, taken, HOUR),
    "reap": lose,
    "disown": lambda db, taken: disown(db, taken.worker, []),
    "park": lambda db, taken: park(db, taken),
}


@pytest.mark.parametrize("back", GIVING_BACK)
def test_p10_a_job_that_comes_back_meets_no_other_of_its_key(db: Conn, back: str) -> None:
    taken = claim_one(db, worker=knowing(db, "blog"), **UNTIL_START)
    second = one(db, **UNTIL_START).id
    GIVING_BACK[back](db, taken)
    assert keys(db) == sorted([(taken.id, None, "k"), (second, "k", "k")])
    assert one(db, **UNTIL_START).id == second
    db.execute("update pgqueue.jobs set run_at = now() - interval '1 minute'")
    assert {each.id for each in claim(db, enlist(db), 5)} == {taken.id, second}
    assert keys(db) == sorted([(taken.id, None, "k"), (second, None, "k")])


@pytest.mark.parametrize("how", ["retry", "retry all"])
def test_p10_a_revived_job_takes_no_key_and_so_is_never_kept_dead_by_one(db: Conn, how: str) -> None:
    taken = claim_one(db, **UNTIL_START)
    fail(db, taken, None)
    second = one(db, **UNTIL_START).id
    if how == "retry":
        assert execute(db, jobs.retry(taken.id)) is JobState.READY
    else:
        assert execute(db, dead.retry_batch(None, None, None, 10)).revived == 1
    assert keys(db) == sorted([(taken.id, None, "k"), (second, "k", "k")])


def test_a_job_that_is_buried_before_it_starts_gives_its_key_back(db: Conn) -> None:
    made = one(db, **UNTIL_START).id
    assert execute(db, by_name.bury(made, "a", "b"))
    assert job(db, made).unique_key == "k"
    assert one(db, **UNTIL_START).created
    assert execute(db, jobs.retry(made)) is JobState.READY


def test_p8_idle_workers_hear_when_a_start_that_was_held_is_free(db: Conn, conn: Conn) -> None:
    one(db, **UNTIL_START, notify="off")
    db.execute("listen pgqueue")
    db.execute("select pg_advisory_lock_shared(7702, 0)")
    one(conn, **UNTIL_START)
    assert list(db.notifies(timeout=0.02)) == []
    conn.commit()
    assert [each.payload for each in db.notifies(timeout=5, stop_after=1)] == ["default"]


def test_a_claim_of_jobs_with_other_keys_writes_no_index(db: Conn) -> None:
    execute(db, enqueueing.enqueue_many([NewJob(TARGET, unique_key=f"k{n}") for n in range(200)]))
    db.execute("select pg_stat_force_next_flush(), pg_stat_reset()")
    worker = enlist(db)
    for _ in range(20):
        claim(db, worker, 10)
    db.execute("select pg_stat_force_next_flush()")
    row = db.execute("select n_tup_upd, n_tup_hot_upd from pg_stat_user_tables where relname = 'jobs'").fetchone()
    assert row == (200, 200)


def test_a_job_that_was_put_off_past_max_wait_is_left_to_the_workers(db: Conn) -> None:
    """Calls go to a second one, whoever has locked the first; there is never a third."""
    options = {**UNTIL_START, "max_wait": 30}
    first = one(db, **options).id
    db.execute("update pgqueue.jobs set run_at = now() - interval '31 seconds'")
    second = one(db, **options)
    assert second.created
    assert [one(db, **options).id for _ in range(3)] == [second.id] * 3
    db.execute("update pgqueue.jobs set run_at = now() - interval '31 seconds'")
    assert one(db, **options).id == second.id
    assert {each.id for each in claim(db, enlist(db), 5)} == {first, second.id}
    assert job(db, second.id).unique_key == "k"
    assert one(db, **options).created


def test_a_job_of_another_mode_that_has_the_key_is_found_in_any_state(db: Conn) -> None:
    taken = claim_one(db, unique_key="k")
    assert one(db, **UNTIL_START).id == taken.id
    settle(db, taken)
    first = one(db, **UNTIL_START).id
    assert one(db, unique_key="k").id == first
