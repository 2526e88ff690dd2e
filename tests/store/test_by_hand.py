"""Rows that somebody changed by hand hurt their own job at most."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
import pytest

from pgqueue.embedded import Server
from pgqueue.events import Finished
from pgqueue.migrate import migrate
from pgqueue.store import execute, jobs, queues, reading, workers
from pgqueue.worker.claiming.narrowing import narrow
from pgqueue.worker.claiming.settler import settle as settle_batch
from pgqueue.worker.claiming.settler import settle_alone
from tests.factories import (
    LEASE,
    Conn,
    claim,
    claim_one,
    count,
    enlist,
    enqueue,
    fail,
    fill,
    job,
    lose,
    outcomes,
    reap,
    release,
    settle,
    state,
    success,
)

# What a claim number can be.
LARGEST = 2**31 - 1


def forge(conn: Conn, made: UUID, claim_number: int = 1) -> None:
    """An attempt that never was, under the number of one that is to come."""
    conn.execute(
        "insert into pgqueue.attempts (job_id, claim, attempt, outcome, queue, target)"
        " values (%s, %s, 1, 'failed', 'q', 'a:b')",
        [made, claim_number],
    )


@pytest.mark.parametrize(
    ("move", "left", "outcome"),
    [
        (fail, "ready", "failed"),
        (lambda conn, taken: fail(conn, taken, None), "dead", "failed"),
        (release, "ready", "released"),
        (lose, "ready", "lost"),
        (lambda conn, taken: execute(conn, jobs.complete(taken, None)), "succeeded", "succeeded"),
    ],
)
@pytest.mark.parametrize("number", [1, LARGEST])
def test_p11_a_forged_attempt_is_kept_and_stands_in_nobodys_way(
    db: Conn, move: Any, left: str, outcome: str, number: int
) -> None:
    taken = claim_one(db)
    forge(db, taken.id, number)
    forge(db, taken.id, 1) if number != 1 else None
    move(db, taken)
    assert state(db, taken.id) == left
    history = execute(db, reading.attempts(taken.id))
    assert [each.outcome for each in history if each.worker == taken.worker] == [outcome]
    assert len(history) == (2 if number == 1 else 3)


def test_p11_a_forged_attempt_does_not_keep_a_job_from_being_cancelled(db: Conn) -> None:
    made = enqueue(db)
    forge(db, made)
    assert execute(db, jobs.cancel(made)) == "cancelled"
    assert outcomes(db, made) == ["failed", "cancelled"]


def test_p11_a_forged_attempt_holds_up_none_of_the_successes_beside_it(db: Conn) -> None:
    worker = enlist(db)
    fill(db, 3)
    taken = claim(db, worker, 3)
    forge(db, taken[1].id)
    with pytest.raises(psycopg.errors.UniqueViolation):
        settle(db, *taken)
    done = [Finished(each, success(each), 0.0) for each in taken]
    parts = narrow(
        db,
        done,
        lambda part: settle_batch(db, worker, part),
        lambda one, error: settle_alone(db, worker, one, error),
    )
    assert [each for part in parts for each in part.late] == []
    assert [outcomes(db, each.id)[-1] for each in taken] == ["succeeded"] * 3


@pytest.mark.parametrize("move", [lambda conn, taken: fail(conn, taken, None), lose])
def test_p2_a_dead_job_that_is_there_already_stands_in_nobodys_way(db: Conn, move: Any) -> None:
    taken = claim_one(db, max_attempts=1)
    db.execute(
        "insert into pgqueue.dead_jobs (id, run_at, created_at, claim, priority, attempt, crashes, queue, target, args,"
        " reason) values (%s, now(), now(), 1, 5, 1, 0, 'q', 'a:b', '[]', 'buried')",
        [taken.id],
    )
    move(db, taken)
    assert (count(db, "jobs"), count(db, "dead_jobs")) == (0, 1)


def test_a_running_row_that_is_deleted_makes_its_settlement_late_and_no_other(db: Conn) -> None:
    worker = enlist(db)
    fill(db, 2)
    gone, here = claim(db, worker, 2)
    db.execute("delete from pgqueue.jobs where id = %s", [gone.id])
    assert settle(db, gone, here) == {gone.id}
    assert (state(db, gone.id), state(db, here.id)) == (None, "succeeded")
    assert fail(db, gone) == {gone.id}
    assert release(db, gone) == {gone.id}


def test_p8_jobs_of_a_worker_whose_row_was_deleted_come_back(db: Conn) -> None:
    orphan, here = claim_one(db), claim_one(db)
    db.execute("delete from pgqueue.workers where id = %s", [orphan.worker])
    assert reap(db) == {}
    assert execute(db, workers.reap_orphans()) == 1
    assert (state(db, orphan.id), state(db, here.id)) == ("ready", "running")
    assert db.execute("select crashes from pgqueue.jobs where id = %s", [orphan.id]).fetchone() == (0,)
    assert execute(db, workers.reap_orphans()) == 0


def test_p5_a_live_worker_whose_row_was_deleted_notices_and_can_do_no_harm(db: Conn) -> None:
    taken = claim_one(db)
    db.execute("delete from pgqueue.workers")
    assert not execute(db, workers.heartbeat(taken.worker, LEASE)).alive
    assert not execute(db, workers.declare(taken.worker, ["a:b"]))
    enqueue(db)
    assert claim(db, taken.worker) == []
    execute(db, workers.reap_orphans())
    assert settle(db, taken) == {taken.id}
    assert outcomes(db, taken.id) == ["late"]
    assert state(db, taken.id) == "ready"


def test_a_live_worker_whose_row_was_deleted_may_still_settle_before_its_jobs_are_taken(db: Conn) -> None:
    taken = claim_one(db)
    db.execute("delete from pgqueue.workers")
    assert settle(db, taken) == frozenset()
    assert execute(db, workers.reap_orphans()) == 0


def test_p5_two_workers_of_one_host_and_pid_do_not_share_their_jobs(db: Conn) -> None:
    gone, here = claim_one(db), claim_one(db)
    assert db.execute("select count(distinct (host, pid)) from pgqueue.workers").fetchone() == (1,)
    lose(db, gone)
    assert (state(db, gone.id), state(db, here.id)) == ("ready", "running")
    assert settle(db, gone._replace(worker=here.worker)) == {gone.id}
    assert settle(db, here) == frozenset()


def test_p11_a_text_of_no_encoding_hurts_its_own_job_alone(server: Server, connect: Any) -> None:
    admin = connect(server.dsn(), autocommit=True)
    admin.execute("drop database if exists ascii")
    admin.execute("create database ascii encoding 'SQL_ASCII' locale 'C' template template0")
    dsn = server.dsn("ascii", tcp=True)
    migrate(dsn)
    broken = connect(dsn, autocommit=True, client_encoding="SQL_ASCII")
    db = connect(dsn, autocommit=True, client_encoding="utf8")
    first = enqueue(db, ["ü"])
    for args, queue in (('["\udcff"]', "default"), ("[]", "d\udcff")):
        words = f"select pgqueue.enqueue('a:b', '{args}', queue => '{queue}')"
        broken.pgconn.exec_(words.encode("utf-8", "surrogateescape"))
    last = enqueue(db)
    assert execute(db, queues.names()) == ["default"]
    taken = claim(db, enlist(db), 10)
    assert [taken[0].id, taken[2].id] == [first, last]
    assert (taken[0].args, taken[1].args) == ('["ü"]', r'["\377"]')
    assert settle(db, taken[0], taken[2]) == frozenset()
    assert fail(db, taken[1], None, reason="unreadable") == frozenset()
    assert job(db, first).args == ["ü"]
    broken.close()
    db.close()
    admin.execute("drop database ascii")
