"""Jobs that wait for a human: they have not ended, cost claims nothing, and one answer of one human ends them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

import psycopg
import pytest

from pgqueue import get_job, manual_done, manual_fail, manual_jobs, result
from pgqueue.errors import ArgumentError, JobFailed, JobNotFound, UsageError
from pgqueue.ids import new_job_id
from pgqueue.job import JobState, NewJob
from pgqueue.store import enqueueing, execute, jobs, operations, reading, workers
from tests.conftest import Connect
from tests.factories import TARGET, claim, claim_one, count, enlist, enqueue, fall, fill, job, make, outcomes, state
from tests.limits import take_keyed
from tests.store.plans import Plan, rows_read

Conn = psycopg.Connection[Any]
Plans = Callable[[Conn, Callable[[], Any]], list[Plan]]


def asked(db: Conn, args: Any = None, **options: Any) -> Any:
    """The id of a job that waits for a human."""
    first = claim_one(db, args, **options)
    fall(db, first)
    return first.id


def audit(db: Conn) -> list[Any]:
    return db.execute("select who, via, action, job_ids, reason from pgqueue.audit order by id").fetchall()


def test_it_has_not_ended_and_nobody_runs_it(db: Conn) -> None:
    job_id = asked(db)
    found = job(db, job_id)
    assert (found.state, found.worker, found.degraded, found.attempt) == (JobState.MANUAL, None, True, 2)
    assert not found.state.ended
    assert claim(db, enlist(db)) == []
    db.execute("select pgqueue.reap_orphans()")
    db.execute("select * from pgqueue.prune('0', '0')")
    assert (state(db, job_id), count(db, "manual_jobs")) == (JobState.MANUAL, 1)


def test_it_keeps_its_unique_key(db: Conn) -> None:
    job_id = asked(db, unique_key="order:42")
    for options in ({}, {"on_conflict": "replace"}):
        again = execute(db, enqueueing.enqueue(NewJob(TARGET, [1], unique_key="order:42", **options)))
        assert (again.id, again.created, again.replaced) == (job_id, False, False)
    manual_done(db, job_id)
    assert execute(db, enqueueing.enqueue(NewJob(TARGET, unique_key="order:42"))).created


def test_what_a_human_answers_is_the_result_and_wakes_who_waits(db: Conn, connect: Connect) -> None:
    job_id = asked(db, store_result=True)
    found: list[Any] = []
    waiting = threading.Thread(target=lambda: found.append(result(connect(), job_id, timeout=20)))
    waiting.start()
    manual_done(db, job_id, {"price": 12}, who="ann")
    waiting.join(20)
    assert found == [{"price": 12}]
    assert outcomes(db, job_id) == ["failed", "succeeded"]
    last = execute(db, reading.attempts(job_id))[-1]
    assert (last.degraded, last.attempt, last.claim) == (True, 2, 2)
    assert (job(db, job_id).degraded, count(db, "jobs"), count(db, "manual_jobs")) == (True, 0, 0)
    assert audit(db) == [("ann", "python", "manual done", [job_id], None)]


def test_its_answer_is_kept_also_where_the_job_asked_for_no_result(db: Conn) -> None:
    job_id = asked(db)
    manual_done(db, job_id, "by hand")
    assert result(db, job_id, timeout=0) == "by hand"


def test_a_human_may_give_up_and_a_dead_job_begins_anew(db: Conn) -> None:
    job_id = asked(db, max_attempts=3)
    manual_fail(db, job_id, why="no such picture", who="ann")
    dead = job(db, job_id)
    assert (dead.state, dead.reason, dead.last_error) == (
        JobState.DEAD,
        "given up",
        "pgqueue.GivenUp: no such picture",
    )
    assert audit(db) == [("ann", "python", "manual fail", [job_id], "no such picture")]
    with pytest.raises(JobFailed):
        result(db, job_id, timeout=0)
    assert execute(db, jobs.retry(job_id)) is JobState.READY
    (again,) = claim(db, enlist(db))
    assert (again.target, again.attempt, again.max_attempts, job(db, job_id).degraded) == (TARGET, 1, 3, False)


def test_it_goes_back_to_its_first_code_by_a_retry(db: Conn) -> None:
    first = claim_one(db, max_attempts=3)
    fall(db, first, "shop.naive:send")
    (second,) = claim(db, enlist(db))
    fall(db, second)
    assert execute(db, jobs.retry(first.id)) is JobState.READY
    assert count(db, "manual_jobs") == 0
    (third,) = claim(db, enlist(db))
    assert (third.target, third.attempt, third.max_attempts, third.claim) == (TARGET, 1, 3, 4)


def test_it_is_called_off_by_a_cancel(db: Conn) -> None:
    job_id = asked(db, unique_key="k")
    assert execute(db, jobs.cancel(job_id)) is JobState.CANCELLED
    assert (count(db, "jobs"), count(db, "manual_jobs"), count(db, "cancellations")) == (0, 0, 0)
    assert outcomes(db, job_id) == ["failed", "cancelled"]


@pytest.mark.parametrize("other", [each for each in JobState if each is not JobState.MANUAL])
def test_only_what_waits_for_a_human_takes_an_answer(db: Conn, other: JobState) -> None:
    job_id = make(db, other)
    for answer in (manual_done, manual_fail):
        with pytest.raises(UsageError, match=f"does not wait for a human, it is {other}"):
            answer(db, job_id)
        with pytest.raises(JobNotFound):
            answer(db, new_job_id())
    assert (state(db, job_id), audit(db)) == (other, [])


def test_a_result_that_is_no_json_is_refused_before_anything_is_sent(db: Conn) -> None:
    job_id = asked(db)
    with pytest.raises(ArgumentError):
        manual_done(db, job_id, object())
    assert state(db, job_id) is JobState.MANUAL


def test_of_two_humans_one_is_heard_and_the_other_is_told(db: Conn, connect: Connect) -> None:
    job_id = asked(db)
    other = connect(autocommit=True)
    told: list[str] = []

    def answer() -> None:
        try:
            manual_done(other, job_id, "second")
        except UsageError as error:
            told.append(str(error))

    with db.transaction():
        manual_done(db, job_id, "first")
        late = threading.Thread(target=answer)
        late.start()
    late.join(20)
    assert told == [f"job {job_id} does not wait for a human, it is succeeded; nothing was changed"]
    assert result(db, job_id, timeout=0) == "first"


def test_an_answer_is_a_part_of_the_transaction_it_is_given_in(db: Conn, connect: Connect) -> None:
    job_id = asked(db)
    with connect() as other:
        manual_done(other, job_id, 1)
        other.rollback()
    assert (state(db, job_id), audit(db)) == (JobState.MANUAL, [])


def test_sql_answers_as_well(db: Conn) -> None:
    done, failed = asked(db), asked(db)
    said = db.execute("select * from pgqueue.manual_done(%s, '[1]', who => 'ann', why => 'seen')", [done]).fetchone()
    assert said == ("succeeded", True)
    assert db.execute("select * from pgqueue.manual_done(%s, '[2]')", [done]).fetchone() == ("succeeded", False)
    assert db.execute("select * from pgqueue.manual_fail(%s, 'no')", [failed]).fetchone() == ("dead", True)
    (user,) = db.execute("select session_user::text").fetchone() or ()
    assert audit(db) == [
        ("ann", "sql", "manual done", [done], "seen"),
        (user, "sql", "manual fail", [failed], "no"),
    ]
    assert result(db, done, timeout=0) == [1]


async def _answered(dsn: str, job_id: Any) -> Any:
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as conn:
        (found,) = await manual_jobs(conn)
        await manual_done(conn, job_id, found.job.args)
        return await result(conn, job_id, timeout=0)


def test_an_async_connection_answers_awaitables(db: Conn, dsn: str) -> None:
    job_id = asked(db, [7])
    assert asyncio.run(_answered(dsn, job_id)) == [7]


def test_the_longest_waiting_come_first_and_a_page_behind_them(db: Conn) -> None:
    ids = [asked(db, [n]) for n in range(5)]
    first = manual_jobs(db, limit=3)
    rest = manual_jobs(db, limit=3, after=first[-1])
    assert [each.job.id for each in (*first, *rest)] == ids
    assert [each.job.args for each in first] == [[0], [1], [2]]
    assert all(isinstance(each.since, datetime) and each.reason is None for each in first)
    assert first[0].job == get_job(db, ids[0])


def test_those_that_hands_have_removed_are_neither_listed_nor_kept(db: Conn) -> None:
    gone, left = asked(db), asked(db)
    db.execute("delete from pgqueue.jobs where id = %s", [gone])
    assert [each.job.id for each in manual_jobs(db)] == [left]
    for _ in range(40):
        db.execute("select pgqueue.prune('1 hour', '1 hour')")
        if count(db, "manual_jobs") == 1:
            break
    assert count(db, "manual_jobs") in (1, 2)


def keyed_one(db: Conn, key: str) -> Any:
    """A running job with a limit key."""
    enqueue(db, limit_key=key)
    worker = enlist(db)
    db.execute("select pgqueue.adopt_limits()")
    (taken,) = take_keyed(db, worker)
    return taken


def test_its_shares_go_back_but_an_ordered_lane_waits_for_the_answer(db: Conn) -> None:
    db.execute("select pgqueue.set_limit('key', 'tenant:*', concurrency => 1)")
    db.execute("select pgqueue.set_limit('key', 'lane:*', concurrency => 1, ordered => true)")
    free = keyed_one(db, "tenant:7")
    fall(db, free)
    assert count(db, "holds") == 0
    held = keyed_one(db, "lane:7")
    fall(db, held)
    assert count(db, "holds") == 1
    db.execute("select * from pgqueue.reconcile_holds()")
    assert count(db, "holds") == 1
    manual_done(db, held.id)
    assert count(db, "holds") == 0


def test_bulk_actions_know_it(db: Conn) -> None:
    job_id = asked(db)
    for kind, states in (("priority", ["ready"]), ("bury", ["ready", "scheduled"]), ("purge", ["dead"])):
        said = db.execute(
            "select became from pgqueue.operate(array[%s::uuid], %s, %s, 9::smallint, null)", [job_id, kind, states]
        ).fetchone()
        assert said == ("skipped",)
    assert execute(db, operations.set_priority(job_id, 9)) == "manual"
    said = db.execute(
        "select became from pgqueue.operate(array[%s::uuid], 'retry', '{manual}', null, null)", [job_id]
    ).fetchone()
    assert (said, state(db, job_id)) == (("done",), JobState.READY)


def crowd(db: Conn, many: int) -> None:
    """So many jobs that wait for a human, as turn() leaves them."""
    fill(db, many)
    db.execute(
        "update pgqueue.jobs set worker = -1, claim = 2, attempt = 2, started_at = now(), lane = '', lined = false,"
        " fallen_from = array[target]"
    )
    db.execute("insert into pgqueue.manual_jobs select id, claim, started_at, null from pgqueue.jobs")
    db.execute("vacuum analyze pgqueue.jobs, pgqueue.manual_jobs")


def test_however_many_wait_no_claim_walks_them(db: Conn, plans: Plans) -> None:
    crowd(db, 5_000)
    worker = enlist(db)
    wanted = enqueue(db)
    seen = plans(db, lambda: claim(db, worker, 10))
    assert rows_read(seen) <= 20
    assert job(db, wanted).state is JobState.RUNNING
    assert db.execute("select pgqueue.keyed_queues('', 10, false)").fetchone() == ([],)
    assert db.execute("select * from pgqueue.heads('', 0::smallint, 10)").fetchall()[0][0] == "default"


def test_who_vanishes_beside_them_loses_no_more_than_before(db: Conn) -> None:
    crowd(db, 500)
    taken = claim_one(db)
    db.execute("update pgqueue.workers set expires_at = now()")
    assert execute(db, workers.reap()).jobs == {taken.worker: 1}
    assert state(db, taken.id) is JobState.READY
