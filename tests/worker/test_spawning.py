"""What a job enqueues: with its success or its transaction, or not at all; and what follows its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg
import pytest

import pgqueue
from pgqueue.job import JobState
from tests.factories import Conn, count, job
from tests.waiting import wait_until
from tests.worker import following_tasks as tasks
from tests.worker.running import KINDS, ThreadedWorker

HERE = tasks.HERE
Run = Callable[..., UUID]


@pytest.fixture
def db(connect: Callable[..., Conn]) -> Conn:
    return connect(autocommit=True)


def drained(dsn: str, executor: str = "thread", **options: Any) -> None:
    """Run what is due, and what comes of it."""
    worker = ThreadedWorker(dsn, app=[HERE], executor=executor, burst=True, poll=0.05, **options)
    assert worker.join(60) == 0


def children(conn: Conn, parent: UUID) -> list[tuple[str, str, Any]]:
    """How they came, their states and arguments, in the order in which they came."""
    sql = """
    select line.how, job.state, job.args from pgqueue.lineage as line join pgqueue.job as job on job.id = line.job_id
    where line.parent_id = %s order by line.nth
    """
    return conn.execute(sql, [parent]).fetchall()


@pytest.mark.parametrize("executor", KINDS)
def test_what_a_job_gathers_is_enqueued_with_its_success_and_only_then(db: Conn, dsn: str, executor: str) -> None:
    well = [pgqueue.enqueue(db, name, [""]).id for name in (tasks.bring, tasks.bring_in_transaction)]
    well += [pgqueue.enqueue(db, name, [""]).id for name in (tasks.bring_async, tasks.bring_in_transaction_async)]
    ill = [
        pgqueue.enqueue(db, name, [then]).id
        for name in (tasks.bring, tasks.bring_async, tasks.bring_in_transaction, tasks.bring_in_transaction_async)
        for then in ("die", "fail", "cancel")
    ]
    drained(dsn, executor)
    assert [children(db, each) for each in well] == [
        [("enqueue", "succeeded", [0]), ("effect", "succeeded", [0])],
        [("enqueue", "succeeded", [1]), ("effect", "succeeded", [2])],
        [("enqueue", "succeeded", [1])],
        [("enqueue", "succeeded", [1])],
    ]
    assert [children(db, each) for each in ill] == [[]] * len(ill)
    found = pgqueue.tree(db, well[0])
    assert [(node.generation, node.state) for node in found] == [(0, "succeeded"), (1, "succeeded"), (1, "succeeded")]
    kept = job(db, found[1].id)
    assert (kept.parent_id, kept.root_id) == (well[0], well[0])
    assert job(db, well[0]).parent_id is None


@pytest.mark.parametrize("executor", KINDS)
def test_what_is_enqueued_at_once_is_there_whatever_becomes_of_the_attempt(db: Conn, dsn: str, executor: str) -> None:
    made = [
        pgqueue.enqueue(db, name, [then]).id
        for name in (tasks.bring_at_once, tasks.bring_at_once_async)
        for then in ("", "die")
    ]
    drained(dsn, executor)
    assert [children(db, each) for each in made] == [[("enqueue", "succeeded", [1])]] * 4


def test_complete_takes_along_what_was_gathered_before_and_nothing_after(db: Conn, dsn: str) -> None:
    parent = pgqueue.enqueue(db, tasks.complete_with, [dsn], store_result=True).id
    drained(dsn)
    assert children(db, parent) == [("enqueue", "succeeded", [1])]
    assert job(db, parent).state == "succeeded"


def test_more_children_than_a_task_may_bring_fail_its_attempt(db: Conn, dsn: str) -> None:
    parent = pgqueue.enqueue(db, tasks.bring_too_many).id
    drained(dsn)
    found = job(db, parent)
    assert found.state == "dead"
    assert "the job has brought 3 others" in (found.last_error or "")
    assert children(db, parent) == []


def test_a_job_that_brings_itself_ends_at_the_deepest_generation_and_is_seen(db: Conn, dsn: str) -> None:
    root = pgqueue.enqueue(db, tasks.bring_itself).id
    drained(dsn)
    found = pgqueue.tree(db, root)
    assert [node.generation for node in found] == list(range(34))
    assert {node.state for node in found[:-1]} == {JobState.SUCCEEDED}
    assert found[-1].state == "dead"
    last = job(db, found[-1].id)
    assert last.reason == "unwritable"
    assert "33 generations below the first, and 32 are allowed" in (last.last_error or "")
    assert last.root_id == root


def test_what_a_full_queue_refuses_does_not_refuse_the_success(db: Conn, dsn: str) -> None:
    pgqueue.set_max_size(db, "default", 1)
    parent = pgqueue.enqueue(db, tasks.bring, ["", 3]).id
    drained(dsn)
    assert job(db, parent).state == "succeeded"
    found = children(db, parent)
    assert len(found) == 6
    refused = [each for each in found if each[1] == "dead"]
    assert refused
    (dead, *_) = db.execute("select id from pgqueue.dead_jobs order by id").fetchall()
    assert "is full" in (job(db, dead[0]).last_error or "")
    assert pgqueue.retry(db, dead[0]) == "ready"


@pytest.mark.parametrize("executor", KINDS)
def test_follow_ups_of_a_task_run_after_the_end_that_they_wait_for(db: Conn, dsn: str, executor: str) -> None:
    made = {then: pgqueue.enqueue(db, tasks.followed, [then]).id for then in ("", "die", "cancel")}
    drained(dsn, executor)
    results = {then: _results(db, parent) for then, parent in made.items()}
    plain = {"target": f"{HERE}:followed", "reason": None, "error_type": None, "error": None, "result": None}
    success = {**plain, "id": str(made[""]), "state": "succeeded", "result": "done"}
    assert results[""] == [
        ("on_success", ["EndedJob", str(made[""]), "succeeded", None, None, "done", ""]),
        ("on_success", success),
        ("on_end", success),
    ]
    assert results["die"] == [
        ("on_failure", ["EndedJob", str(made["die"]), "dead", "buried", "no", None, "died"]),
        (
            "on_end",
            {
                **plain,
                "id": str(made["die"]),
                "state": "dead",
                "reason": "buried",
                "error_type": "Bury",
                "error": "no",
            },
        ),
    ]
    assert [how for how, _ in results["cancel"]] == ["on_end"]
    assert results["cancel"][0][1]["state"] == "cancelled"


def test_a_task_that_no_longer_says_so_is_no_longer_followed(db: Conn, dsn: str) -> None:
    db.execute("select pgqueue.declare_follow_ups(array[%s], array['{\"follow_ups\": []}'], '{}')", [f"{HERE}:child"])
    drained(dsn)
    told = {row[0] for row in db.execute("select target from pgqueue.follow_ups").fetchall()}
    assert f"{HERE}:followed" in told
    assert f"{HERE}:child" not in told


def test_a_dead_job_that_is_retried_is_followed_again_at_its_next_end(db: Conn, dsn: str) -> None:
    parent = pgqueue.enqueue(db, tasks.followed, ["die"], on_failure=tasks.plain_clean_up).id
    for times in (1, 2):
        drained(dsn)
        hows = [how for how, _, _ in children(db, parent)]
        assert sorted(hows) == sorted(["on_failure", "on_failure", "on_end"] * times)
        if times == 1:
            assert pgqueue.retry(db, parent) == "ready"


def test_nobody_starts_what_is_followed_before_the_database_knows_by_what(db: Conn, dsn: str) -> None:
    """Without what is declared the worker gives such a job back; with it, it runs."""
    worker = ThreadedWorker(dsn, app=[HERE], executor="thread", poll=0.05)
    wait_until(lambda: count(db, "follow_ups") >= 1)
    parent = pgqueue.enqueue(db, tasks.followed, [""]).id
    wait_until(lambda: len([each for each in children(db, parent) if each[1] == "succeeded"]) == 3)
    assert worker.stop() == 0


def _results(conn: psycopg.Connection[Any], parent: UUID) -> list[tuple[str, Any]]:
    sql = """
    select line.how, result.result from pgqueue.lineage as line
    left join pgqueue.results as result on result.job_id = line.job_id
    where line.parent_id = %s order by line.nth
    """
    return conn.execute(sql, [parent]).fetchall()
