"""What a new row of `jobs` may say, whoever writes it; and rows from before that was so hurt nobody but themselves."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql

import pgqueue
from pgqueue.events import Finished
from pgqueue.job import JobState
from pgqueue.store import by_name, execute, jobs
from pgqueue.worker.claiming.settler import settle_alone
from tests.factories import (
    Conn,
    claim,
    count,
    disown,
    enlist,
    enqueue,
    expire,
    fail,
    fall,
    fill,
    lose,
    make,
    reap,
    release,
    settle,
    slots,
    state,
    success,
)

REFUSED = [
    {"worker": 7},
    {"claim": 1},
    {"claim": 2**31 - 1},
    {"claim": -5},
    {"started_at": "infinity"},
    {"created_at": "infinity"},
    {"created_at": "-infinity"},
    {"created_at": "0044-03-15 BC"},
    {"run_at": "infinity"},
    {"priority": 10},
    {"priority": -1},
    {"queue": ""},
]
# What says nothing sensible about a job's own attempts harms nobody else, and is read as if it were not there.
ODD = [
    {"attempt": 32767},
    {"attempt": -32768},
    {"crashes": 32767},
    {"crashes": -32768},
    {"max_attempts": -1},
    {"max_attempts": 0},
    {"timeout": -1.0},
    {"timeout": "NaN"},
    {"timeout": "Infinity"},
    {"expires_at": "infinity"},
    {"avoid_host": "nowhere"},
]
# What could stand in a table that was filled before; with the trigger off, as an owner may.
WORST = {"claim": 2**31 - 1, "attempt": 32767, "crashes": 32767}


def insert(conn: Conn, **values: Any) -> UUID:
    """A row of `jobs`, written by hand."""
    row = {"id": uuid4(), "target": "shop.tasks:send", "queue": "default", **values}
    names = sql.SQL(", ").join(map(sql.Identifier, row))
    holders = sql.SQL(", ").join(sql.Placeholder() * len(row))
    conn.execute(sql.SQL("insert into pgqueue.jobs ({}) values ({})").format(names, holders), list(row.values()))
    return row["id"]


@pytest.fixture
def unguarded(db: Conn) -> Conn:
    """A connection on which rows may be written that the trigger would refuse."""
    db.execute("set session_replication_role = replica")
    return db


@pytest.mark.parametrize("said", REFUSED, ids=str)
def test_a_new_row_that_is_no_new_job_is_refused(db: Conn, said: dict[str, Any]) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        insert(db, **said)
    with pytest.raises(psycopg.errors.CheckViolation), db.cursor().copy(_copy(said)) as rows:
        rows.write_row([uuid4(), "a:b", *said.values()])
    assert count(db, "jobs") == 0


def _copy(said: dict[str, Any]) -> str:
    return f"copy pgqueue.jobs (id, target, {', '.join(said)}) from stdin"


def test_the_refusal_says_what_was_wrong_and_what_to_do(db: Conn) -> None:
    with pytest.raises(
        psycopg.errors.CheckViolation, match="no worker, no started_at and no claim yet, got 7"
    ) as error:
        insert(db, worker=7)
    assert "pgqueue.enqueue()" in str(error.value.diag.message_hint)


@pytest.mark.parametrize("said", ODD, ids=str)
def test_p11_a_row_with_odd_numbers_runs_like_any_other(db: Conn, said: dict[str, Any]) -> None:
    odd, usual = insert(db, **said), enqueue(db)
    worker = enlist(db)
    taken = claim(db, worker, 10)
    assert {each.id for each in taken} == {odd, usual}
    strange = next(each for each in taken if each.id == odd)
    assert 1 <= strange.attempt <= 32767
    assert strange.crashes >= 0
    assert strange.max_attempts is None or strange.max_attempts > 0
    assert strange.timeout is None or 0 < strange.timeout < 1e10 or math.isinf(strange.timeout)
    assert settle(db, *taken) == frozenset()


@pytest.mark.parametrize("said", ODD, ids=str)
def test_p11_a_claim_by_name_reads_odd_numbers_as_every_claim_does(db: Conn, said: dict[str, Any]) -> None:
    odd = insert(db, **said)
    worker = enlist(db)
    with db.transaction(force_rollback=True):
        (usual,) = claim(db, worker)
    (named,) = execute(db, by_name.claim(worker, [odd], slots(), 0)).claims
    assert named == usual


@pytest.mark.parametrize("move", ["fail", "crash", "release", "lose", "disown", "cancel", "settle"])
@pytest.mark.parametrize("column", [*WORST, "all"])
def test_p11_no_counter_can_overflow(unguarded: Conn, column: str, move: str) -> None:
    db = unguarded
    odd, usual = insert(db, **({column: WORST[column]} if column != "all" else WORST)), enqueue(db)
    worker = enlist(db)
    if move == "cancel":
        assert execute(db, jobs.cancel(odd)) is JobState.CANCELLED
        assert execute(db, jobs.cancel(usual)) is JobState.CANCELLED
        return
    for _ in range(3):
        taken = claim(db, worker, 10)
        assert usual in {each.id for each in taken}
        match move:
            case "fail":
                assert not any(fail(db, each) for each in taken)
            case "crash":
                assert not any(fail(db, each, outcome="crashed") for each in taken)
            case "release":
                assert not any(release(db, each) for each in taken)
            case "disown":
                assert disown(db, worker, []) == len(taken)
            case "lose":
                expire(db, worker)
                assert reap(db) == {worker: len(taken)}
                worker = enlist(db)
            case "settle":
                assert settle(db, *taken) == frozenset()
                return


def test_p11_a_poisoned_row_can_be_claimed_by_name(unguarded: Conn) -> None:
    odd = insert(unguarded, **WORST)
    assert execute(unguarded, jobs.claim_one(enlist(unguarded), odd)) is not None


def test_p8_a_job_that_cannot_be_taken_back_keeps_no_other_with_a_dead_worker(db: Conn) -> None:
    worker = enlist(db)
    fill(db, 2)
    taken = claim(db, worker, 2)
    db.execute(
        "create function refuse() returns trigger language plpgsql as $$ begin raise 'not this one'; end $$;"
        f"create trigger refuse before update on pgqueue.jobs for each row when (old.id = '{taken[0].id}')"
        " execute function refuse()"
    )
    expire(db, worker)
    assert reap(db) == {worker: 1}
    assert (state(db, taken[0].id), state(db, taken[1].id)) == ("running", "ready")
    assert db.execute("select id from pgqueue.workers").fetchall() == [(worker,)]
    db.execute("drop trigger refuse on pgqueue.jobs")
    assert reap(db) == {worker: 1}
    assert count(db, "workers") == 0


@pytest.mark.parametrize("end", [JobState.SUCCEEDED, JobState.DEAD, JobState.CANCELLED])
@pytest.mark.parametrize("move", ["settle", "complete", "fail", "fall", "bury", "release", "lose", "cancel"])
def test_the_history_and_result_of_an_ended_job_survive_a_row_with_its_id(db: Conn, end: JobState, move: str) -> None:
    ended = make(db, end)
    db.execute("insert into pgqueue.results values (%s, now() + interval '1 day', '1')", [ended])
    before = _history(db, ended)
    insert(db, id=ended)
    worker = enlist(db)
    if move == "cancel":
        execute(db, jobs.cancel(ended))
    else:
        (again,) = claim(db, worker)
        match move:
            case "settle":
                with pytest.raises(psycopg.errors.UniqueViolation) as refused:
                    execute(db, jobs.step(worker, [success(again, "2")], [], timedelta(0), 0))
                settle_alone(db, worker, Finished(again, success(again, "2"), 0.0), refused.value)
            case "complete":
                assert execute(db, jobs.complete(again, "2"))
            case "fail":
                fail(db, again)
            case "fall":
                fall(db, again, "a:b")
            case "bury":
                fail(db, again, None)
            case "release":
                release(db, again)
            case "lose":
                lose(db, again)
    assert before <= _history(db, ended)
    assert db.execute("select result from pgqueue.results").fetchall() == [(1,)]


def _history(conn: Conn, ended: UUID) -> set[Any]:
    """Every row that tells of the job's past."""
    rows = conn.execute("select attempt::text from pgqueue.attempts as attempt where job_id = %s", [ended]).fetchall()
    return {*rows, *conn.execute("select dead::text from pgqueue.dead_jobs as dead where id = %s", [ended]).fetchall()}


@pytest.mark.parametrize("end", [JobState.SUCCEEDED, JobState.DEAD, JobState.CANCELLED])
def test_who_may_only_enqueue_is_told_of_the_ended_job_with_the_id(
    db: Conn, connect: Any, end: JobState, database: str
) -> None:
    ended = make(db, end)
    with _role(db, f"producer_{database}", "grant insert on pgqueue.jobs to {}") as role:
        producer = connect(autocommit=True)
        producer.execute(sql.SQL("set role {}").format(role))
        assert pgqueue.enqueue(producer, "shop.tasks:send", job_id=ended) == (ended, False)
        producer.close()


def test_a_retried_job_keeps_its_claim_number(db: Conn) -> None:
    buried = make(db, JobState.DEAD)
    assert execute(db, jobs.retry(buried)) is JobState.READY
    assert db.execute("select claim from pgqueue.jobs").fetchone() == (1,)
    assert claim(db, enlist(db))[0].claim == 2


@contextmanager
def _role(conn: Conn, name: str, *grants: str) -> Iterator[sql.Identifier]:
    """A role that may read, call, and what else is granted."""
    role = sql.Identifier(name)
    conn.execute(sql.SQL("create role {}").format(role))
    common = ("grant usage on schema pgqueue to {}", "grant select on all tables in schema pgqueue to {}")
    for grant in (*common, *grants):
        conn.execute(sql.SQL(grant).format(role))  # type: ignore[arg-type]  # constants of this file
    yield role
    conn.execute(sql.SQL("drop owned by {0}; drop role {0}").format(role))
