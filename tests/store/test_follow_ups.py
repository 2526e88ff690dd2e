"""What follows the end of a job: enqueued in the transaction of that end, whoever writes it, and never in its way."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg
import pytest

import pgqueue
from pgqueue.job import NewJob
from pgqueue.outcome import Move, Settlement
from pgqueue.store import execute, jobs
from tests.conftest import Connect
from tests.factories import (
    TARGET,
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
    settle,
    state,
)

AFTER = "shop.tasks:after"


@pytest.fixture
def db(connect: Connect) -> Conn:
    return connect(autocommit=True)


def followed(conn: Conn, args: Any = None, **options: Any) -> UUID:
    """A job that is followed by one for each end."""
    after = {name: NewJob(AFTER, {"at": name}) for name in ("on_success", "on_failure", "on_end")}
    return pgqueue.enqueue(conn, TARGET, args, **{**after, **options}).id


def came(conn: Conn, parent: UUID) -> list[tuple[str, Any]]:
    """What followed: how, and the arguments."""
    sql = """
    select line.how, job.args from pgqueue.lineage as line join pgqueue.job as job on job.id = line.job_id
    where line.parent_id = %s order by line.nth
    """
    return conn.execute(sql, [parent]).fetchall()


def taken(conn: Conn, parent: UUID) -> Any:
    (found,) = claim(conn, enlist(conn))
    assert found.id == parent
    return found


def succeed(conn: Conn, parent: UUID) -> None:
    settle(conn, taken(conn, parent))


def complete(conn: Conn, parent: UUID) -> None:
    assert execute(conn, jobs.complete(taken(conn, parent), None))


def bring(conn: Conn, parent: UUID) -> None:
    held = taken(conn, parent)
    done = Settlement(held.id, held.claim, Move.BRING, "succeeded", brings="{}")
    assert execute(conn, jobs.succeed(held.worker, done))


def die(conn: Conn, parent: UUID) -> None:
    fail(conn, taken(conn, parent), None)


def vanish(conn: Conn, parent: UUID) -> None:
    conn.execute("update pgqueue.jobs set max_attempts = 1")
    lose(conn, taken(conn, parent))


def bury(conn: Conn, parent: UUID) -> None:
    conn.execute("select pgqueue.bury_waiting(%s, 'buried', null, 'by hand')", [parent])


def cancel(conn: Conn, parent: UUID) -> None:
    assert pgqueue.cancel(conn, parent) == "cancelled"


def call_off(conn: Conn, parent: UUID) -> None:
    held = taken(conn, parent)
    assert pgqueue.cancel(conn, parent) == "running"
    fail(conn, held, 0.0)


def expire(conn: Conn, parent: UUID) -> None:
    fail(conn, taken(conn, parent), None, outcome="expired", reason="expired")


def drop(conn: Conn, parent: UUID) -> None:
    conn.execute("select pgqueue.drop_oldest('default', 1, 1)")


ENDS = [
    (succeed, "on_success", "succeeded"),
    (complete, "on_success", "succeeded"),
    (bring, "on_success", "succeeded"),
    (die, "on_failure", "dead"),
    (vanish, "on_failure", "dead"),
    (bury, "on_failure", "dead"),
    (expire, "on_failure", "dead"),
    (cancel, None, "cancelled"),
    (call_off, None, "cancelled"),
    (drop, None, "cancelled"),
]


@pytest.mark.parametrize(("end", "option", "state"), ENDS, ids=lambda value: getattr(value, "__name__", None))
@pytest.mark.parametrize("by", ["job", "task"])
def test_every_end_is_followed_in_its_own_transaction(
    db: Conn, connect: Connect, end: Callable[[Conn, UUID], None], option: str | None, state: str, by: str
) -> None:
    parent = followed(db)
    if by == "task":
        said = "json_build_object('follow_ups', follow_ups)"
        db.execute(f"insert into pgqueue.follow_ups (target, said) select target, {said} from pgqueue.jobs")
        db.execute("update pgqueue.jobs set follow_ups = null")
    end(db, parent)
    found = came(db, parent)
    assert [how for how, _ in found] == ([option] if option else []) + ["on_end"]
    assert [args["at"] for _, args in found] == [how for how, _ in found]
    assert {(args["ended"]["id"], args["ended"]["state"]) for _, args in found} == {(str(parent), state)}
    assert (
        job(db, UUID(str(db.execute("select job_id from pgqueue.lineage limit 1").fetchone()[0]))).parent_id == parent
    )  # type: ignore[index]


def test_a_rolled_back_end_is_followed_by_nothing(db: Conn, connect: Connect) -> None:
    held = taken(db, followed(db))
    other = connect()
    settle(other, held)
    other.rollback()
    assert came(db, held.id) == []
    assert count(db, "jobs") == 1
    settle(db, held)
    assert settle(db, held) == frozenset()
    assert len(came(db, held.id)) == 2


def test_a_late_end_is_followed_by_nothing(db: Conn) -> None:
    held = taken(db, followed(db))
    lose(db, held)
    assert settle(db, held) == {held.id}
    late = Settlement(held.id, held.claim, Move.BRING, "succeeded", brings=_brings("a"))
    assert not execute(db, jobs.succeed(held.worker, late))
    assert outcomes(db, held.id) == ["late"]
    assert count(db, "lineage") == 0


def test_a_success_brings_what_it_brings_once_however_often_it_is_said(db: Conn) -> None:
    held = claim_one(db)
    done = Settlement(held.id, held.claim, Move.BRING, "succeeded", result="1", brings=_brings("a", "b"))
    for _ in range(3):
        assert execute(db, jobs.succeed(held.worker, done))
    assert [how for how, _ in came(db, held.id)] == ["enqueue", "effect"]
    assert count(db, "results") == 1


def test_what_is_refused_is_dead_from_the_beginning_and_the_end_stands(db: Conn) -> None:
    parent = followed(db)
    db.execute(f"alter table pgqueue.jobs add constraint mine check (target <> '{AFTER}') not valid")
    succeed(db, parent)
    assert state(db, parent) == "succeeded"
    dead = db.execute("select id, reason, error_type from pgqueue.dead_jobs").fetchall()
    assert [each[1:] for each in dead] == [("unwritable", "pgqueue.Unwritable")] * 2
    db.execute("alter table pgqueue.jobs drop constraint mine")
    assert pgqueue.retry(db, dead[0][0]) == "ready"
    assert job(db, dead[0][0]).parent_id == parent


def test_an_open_transaction_that_has_the_unique_key_does_not_hold_up_the_end_for_long(
    db: Conn, connect: Connect
) -> None:
    parent = followed(db, on_success=NewJob(AFTER, unique_key="one"), on_end=None)
    other = connect()
    enqueue(other, unique_key="one")
    db.execute("set lock_timeout = '200ms'")
    succeed(db, parent)
    assert state(db, parent) == "succeeded"
    assert count(db, "dead_jobs") == 1


def test_a_unique_key_may_name_the_ended_job_so_that_its_next_end_adds_none(db: Conn) -> None:
    parent = followed(db, on_failure=NewJob(AFTER, unique_key="tell:{job_id}"), on_end=None)
    for _ in range(2):
        db.execute("update pgqueue.jobs set run_at = now() + '1 hour' where id <> %s", [parent])
        die(db, parent)
        pgqueue.retry(db, parent)
    assert db.execute("select count(*) from pgqueue.jobs where unique_key = %s", [f"tell:{parent}"]).fetchone() == (1,)


def test_follow_ups_have_their_own(db: Conn) -> None:
    parent = followed(db, on_success=NewJob(AFTER, on_success=NewJob(AFTER, {"last": True})), on_end=None)
    succeed(db, parent)
    (second,) = claim(db, enlist(db))
    settle(db, second)
    (third,) = claim(db, enlist(db))
    assert json.loads(third.args)["last"] is True
    assert json.loads(third.args)["ended"]["id"] == str(second.id)
    assert [node.generation for node in pgqueue.tree(db, parent)] == [0, 1, 2]


def test_arguments_reach_a_follow_up_as_they_were_written(db: Conn) -> None:
    args = {"number": 10**30, "text": 'ü\\ "', "deep": {"a": [1.50]}}
    parent = followed(db, on_success=NewJob(AFTER, args), on_end=None)
    succeed(db, parent)
    (held,) = claim(db, enlist(db))
    found = json.loads(held.args)
    assert found.pop("ended")["id"] == str(parent)
    assert found == args


def test_sql_adds_a_follow_up_to_what_has_not_ended(db: Conn) -> None:
    sql = "select pgqueue.add_follow_up(pgqueue.enqueue(%s, '[1]'), 'dead', %s, '{\"order\": 7}', queue => 'mail')"
    row = db.execute(sql, [TARGET, AFTER]).fetchone()
    assert row is not None
    db.execute("select pgqueue.add_follow_up(%s, 'end', %s)", [row[0], AFTER])
    die(db, row[0])
    assert [(how, args.get("order")) for how, args in came(db, row[0])] == [("on_failure", 7), ("on_end", None)]
    assert db.execute("select queue from pgqueue.jobs order by queue").fetchall() == [("default",), ("mail",)]
    for wrong in ("'later', 'a:b'", "'end', 'a:b', '[1]'", "'end', 'a:b', '{\"ended\": 1}'", "'end', 'a:b'"):
        with pytest.raises(psycopg.errors.InvalidParameterValue):
            db.execute(f"select pgqueue.add_follow_up('{row[0]}', {wrong})")


def test_columns_of_jobs_and_dead_jobs_side_by_side(db: Conn) -> None:
    sql = "select column_name from information_schema.columns where table_schema = 'pgqueue' and table_name = %s"
    live, dead = ({row[0] for row in db.execute(sql, [table]).fetchall()} for table in ("jobs", "dead_jobs"))
    # Of who has it, and of where it waits: a dead job does neither.
    assert live - dead == {"expires_at", "worker", "avoid_host", "lane", "lined"}
    assert dead - live == {"died_at", "reason", "error_type", "error", "traceback", "cause"}


def test_a_revived_job_is_what_it_was(db: Conn) -> None:
    parent = followed(db, {"a": 1}, limit_key="one", labels={"a": "b"}, store_result=True, priority=7, cost=3)
    kept = "queue, target, args::text, follow_ups::text, limit_key, labels, store_result, priority, cost, max_attempts"
    before = db.execute(f"select {kept} from pgqueue.jobs where id = %s", [parent]).fetchone()
    bury(db, parent)
    assert pgqueue.retry(db, parent) == "ready"
    assert db.execute(f"select {kept} from pgqueue.jobs where id = %s", [parent]).fetchone() == before


def test_prune_forgets_who_brought_what_with_the_jobs(db: Conn) -> None:
    parent = followed(db)
    succeed(db, parent)
    db.execute("delete from pgqueue.jobs")
    assert count(db, "lineage") == 2
    for _ in range(20):
        db.execute("select pgqueue.prune('0', '0')")
    assert count(db, "lineage") == 0


def _brings(*names: str) -> str:
    new = [{"target": AFTER, "args": {"name": name}} for name in names]
    return json.dumps({"jobs": new[:1], "effects": new[1:]})
