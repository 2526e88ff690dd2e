"""A job is explained by the first reason that holds, with a cure that works: one built case for each reason."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import dict_row

import pgqueue
from pgqueue.job import JobState
from pgqueue.outcome import Move, Settlement
from pgqueue.store import execute, jobs, queues, unknown, workers
from tests.conftest import Connect
from tests.explaining.asking import finding, knowing, why
from tests.factories import (
    HOUR,
    TARGET,
    Conn,
    claim,
    claim_one,
    enqueue,
    expire,
    fail,
    fill,
    make,
    release,
    settle,
)
from tests.limits import rule, take_keyed


def test_a_job_that_succeeded_has_ended(db: Conn) -> None:
    found = why(db, make(db, JobState.SUCCEEDED))
    assert (found.code, found.cure) == ("ended", None)
    assert found.text.startswith("succeeded 0.")


def test_a_cancelled_job_has_ended(db: Conn) -> None:
    found = why(db, make(db, JobState.CANCELLED))
    assert found.code == "ended"
    assert found.text.endswith("ago: before it ran")


def test_a_dead_job_says_why_and_is_revived_by_the_cure(db: Conn) -> None:
    job_id = make(db, JobState.DEAD)
    found = why(db, job_id)
    assert (found.code, found.cure) == ("ended", f"pgqueue jobs retry {job_id}")
    assert "exhausted after attempt 1; builtins.OSError: no route" in found.text
    assert found.detail["reason"] == "exhausted"


def test_a_dead_job_whose_key_is_taken_names_the_job_that_has_it(db: Conn) -> None:
    job_id = make(db, JobState.DEAD, unique_key="k")
    rival = enqueue(db, unique_key="k", delay=HOUR)
    found = pgqueue.explain(db, job_id)
    assert found.headline.code == "ended"
    assert found.headline.cure == f"pgqueue jobs cancel {rival} && pgqueue jobs retry {job_id}"
    assert finding(found, "unique").holds


def test_a_running_job_says_where_and_since_when(db: Conn) -> None:
    worker = knowing(db)
    taken = claim_one(db, worker=worker)
    found = why(db, taken.id)
    assert (found.code, found.detail["worker"]) == ("running", worker)
    assert found.text.startswith("on here, pid 1 for ")
    assert found.cure == f"pgqueue jobs cancel {taken.id}"
    execute(db, jobs.cancel(taken.id))
    found = why(db, taken.id)
    assert "; asked to end " in found.text
    assert found.cure == f"pgqueue workers evict {worker}"


def test_a_job_whose_worker_vanished_is_taken_back_by_the_cure(db: Conn) -> None:
    taken = claim_one(db, worker=knowing(db))
    expire(db, taken.worker)
    found = why(db, taken.id)
    assert (found.code, found.cure) == ("lost", "pgqueue worker -A shop.tasks")
    knowing(db)
    found = why(db, taken.id)
    assert found.cure == "select * from pgqueue.reap();"
    db.execute(found.cure)
    assert why(db, taken.id).code == "ready"


def test_a_job_whose_worker_has_no_row_is_taken_back_by_the_cure(db: Conn) -> None:
    taken = claim_one(db)
    db.execute("delete from pgqueue.workers")
    knowing(db)
    found = why(db, taken.id)
    assert (found.code, found.cure) == ("lost", "select pgqueue.reap_orphans();")
    db.execute(found.cure or "")
    assert why(db, taken.id).code == "ready"


def test_a_job_that_was_claimed_ahead_of_a_free_slot_does_not_run(db: Conn) -> None:
    worker = knowing(db, concurrency=2)
    fill(db, 4)
    taken = claim(db, worker, 4)
    assert [why(db, each.id).code for each in taken] == ["running", "running", "ahead", "ahead"]
    assert why(db, taken[3].id).detail["worker"] == worker
    assert "3 of its jobs come before, on 2 slots" in why(db, taken[3].id).text


def test_a_scheduled_job_waits_for_its_time_and_the_cure_makes_it_due(db: Conn) -> None:
    knowing(db)
    job_id = enqueue(db, delay=HOUR)
    found = why(db, job_id)
    assert (found.code, found.cure) == ("scheduled", f"pgqueue jobs retry {job_id}")
    assert found.text.startswith("scheduled: not due for 60 min, until 2")
    execute(db, jobs.retry(job_id))
    assert why(db, job_id).code == "ready"


def test_a_retrying_job_says_what_failed(db: Conn) -> None:
    found = why(db, make(db, JobState.RETRYING, max_attempts=7))
    assert found.code == "retrying"
    assert "attempt 1 of 7 failed: builtins.OSError: no route" in found.text


def test_a_job_that_gave_itself_back_says_until_when(db: Conn) -> None:
    taken = claim_one(db, worker=knowing(db))
    release(db, taken, HOUR)
    found = why(db, taken.id)
    assert found.code == "released"
    assert "given back by its attempt for another 60 min" in found.text


def test_a_job_past_its_ttl_is_never_started(db: Conn) -> None:
    knowing(db)
    job_id = enqueue(db, ttl=60, delay=1)
    db.execute("update pgqueue.jobs set run_at = now() - interval '1 h', expires_at = now() - interval '59 min'")
    assert why(db, job_id).code == "expired"


def test_a_parked_job_names_the_nearest_task_and_the_worker_to_start(db: Conn) -> None:
    stranger = knowing(db, "shop.tasks:sand", "blog:post")
    taken = claim_one(db, worker=stranger)
    parked = Settlement(taken.id, taken.claim, Move.PARK, "released", error="none")
    execute(db, unknown.park(stranger, [parked]))
    found = why(db, taken.id)
    assert (found.code, found.cure) == ("unregistered", "pgqueue worker -A shop.tasks")
    assert found.detail["nearest"] == "shop.tasks:sand"
    knowing(db)
    found = why(db, taken.id)
    assert (found.code, found.cure, found.detail["known"]) == ("unregistered", None, True)


def test_a_paused_queue_holds_its_jobs_until_it_is_resumed(db: Conn) -> None:
    knowing(db)
    job_id = enqueue(db, queue="mail")
    execute(db, queues.pause("mail"))
    found = why(db, job_id)
    assert (found.code, found.cure) == ("queue_paused", "pgqueue queues resume -- mail")
    execute(db, queues.pause("mail", 3600))
    assert why(db, job_id).text == "queue mail is paused for another 60 min"
    execute(db, queues.resume("mail"))
    assert why(db, job_id).code == "ready"


@pytest.mark.parametrize(("scope", "name"), [("key", "tenant:*"), ("task", TARGET), ("queue", "default")])
def test_a_full_limit_names_the_jobs_that_have_its_shares(db: Conn, scope: str, name: str) -> None:
    rule(db, scope, name, concurrency=1)
    worker = knowing(db, concurrency=9)
    running, waiting = fill(db, 2, limit_key="tenant:7")
    assert [each.id for each in take_keyed(db, worker)] == [running]
    found = why(db, waiting)
    assert found.code == "limit_full"
    assert f"1 of 1 shares are taken, by {running}" in found.text
    said = "--concurrency 2 -- 'tenant:*'" if scope == "key" else f"--{scope}={name} --concurrency 2"
    assert found.cure == f"pgqueue limits set {said}"
    db.execute("update pgqueue.limits set concurrency = 2")
    assert why(db, waiting).code == "ready"


def test_a_new_limit_holds_everything_until_it_is_adopted(db: Conn) -> None:
    rule(db, "key", "k", concurrency=1, adopted=False)
    knowing(db)
    job_id = enqueue(db, limit_key="k")
    assert why(db, job_id).code == "limit_new"
    db.execute("select pgqueue.adopt_limits()")
    assert why(db, job_id).code == "ready"


def test_a_used_up_rate_says_when_the_next_start_is_possible(db: Conn) -> None:
    rule(db, "key", "k", starts=1, period=3600)
    worker = knowing(db, concurrency=9)
    _, waiting = fill(db, 2, limit_key="k")
    settle(db, *take_keyed(db, worker))
    found = why(db, waiting)
    assert (found.code, found.cure) == ("rate", "pgqueue limits set --rate none -- k")
    assert "the next start is possible in 6" in found.text
    assert found.detail["again_at"]


def test_a_lane_waits_for_its_retry_and_stops_at_a_dead_job(db: Conn) -> None:
    rule(db, "key", "k", concurrency=1, ordered=True, on_dead="stop")
    worker = knowing(db, concurrency=9)
    _, waiting = fill(db, 2, limit_key="k")
    (taken,) = take_keyed(db, worker)
    fail(db, taken, HOUR)
    found = why(db, waiting)
    assert (found.code, found.cure) == ("lane", f"pgqueue jobs retry {taken.id}")
    assert "tried again in 60 min" in found.text
    execute(db, jobs.retry(taken.id))
    assert why(db, taken.id).code == "ready", "its share is its own"
    (taken,) = take_keyed(db, worker)
    fail(db, taken, None)
    found = why(db, waiting)
    assert (found.code, found.detail["job"]) == ("lane", str(taken.id))
    assert "is dead" in found.text


def test_no_worker_at_all_asks_for_one(db: Conn) -> None:
    found = why(db, enqueue(db))
    assert (found.code, found.cure) == ("unserved", "pgqueue worker -A shop.tasks")
    assert found.text == "no worker runs"


def test_a_queue_that_no_worker_serves_is_named(db: Conn) -> None:
    knowing(db, queues=["web", "video-*"])
    found = why(db, enqueue(db, queue="mail"))
    assert (found.code, found.cure) == ("unserved", "pgqueue worker -A shop.tasks -Q mail")
    assert found.text == "no worker serves queue mail: the 1 that live serve web,video-*"
    assert why(db, enqueue(db, queue="video-7")).code == "ready"


def test_workers_that_were_asked_to_be_quiet_serve_nothing(db: Conn) -> None:
    worker = knowing(db)
    execute(db, workers.ask(worker, "quiet"))
    found = why(db, enqueue(db))
    assert (found.code, found.cure) == ("unserved", f"pgqueue workers resume {worker}")
    execute(db, workers.ask(worker, "resume"))
    assert why(db, enqueue(db, queue="other")).code == "ready"


def test_a_task_that_no_live_worker_knows_is_named_with_the_nearest(db: Conn) -> None:
    knowing(db, "shop.tasks:sent", "shop.tasks:cut")
    found = why(db, enqueue(db))
    assert (found.code, found.cure) == ("unknown_target", "pgqueue worker -A shop.tasks")
    assert found.text.endswith("knows shop.tasks:send; the nearest task is shop.tasks:sent")
    knowing(db)
    assert why(db, enqueue(db, queue="other")).code == "ready"


def test_a_job_that_avoids_the_only_host_waits(db: Conn) -> None:
    worker = knowing(db)
    taken = claim_one(db, worker=worker)
    back = Settlement(taken.id, taken.claim, Move.RELEASE, "released", started=True, avoid=True)
    execute(db, jobs.release(worker, [back]))
    db.execute("update pgqueue.jobs set run_at = clock_timestamp()")
    found = why(db, taken.id)
    assert (found.code, found.detail["host"]) == ("avoids_host", "here")
    execute(db, workers.enlist(5, "there", 1, None, "thread", 1, timedelta(minutes=1)))
    assert why(db, taken.id).code == "ready"


def test_all_slots_busy_says_with_what(db: Conn) -> None:
    worker = knowing(db, concurrency=2)
    fill(db, 2)
    taken = claim(db, worker, 2)
    found = why(db, enqueue(db))
    assert found.code == "slots_busy"
    assert found.detail | {"since": 0} == {
        "slots": 2,
        "busy": 2,
        "workers": 1,
        "longest": str(min(each.id for each in taken)),
        "target": TARGET,
        "since": 0,
    }


def test_jobs_before_it_are_counted_by_priority_and_age(db: Conn) -> None:
    knowing(db)
    fill(db, 3)
    fill(db, 2, priority=9)
    job_id = enqueue(db)
    enqueue(db, priority=1)
    found = why(db, job_id)
    assert (found.code, found.detail["higher"], found.detail["earlier"]) == ("behind", 2, 3)
    assert found.text == "behind 5 jobs of queue default (2 of higher priority)"
    assert found.cure == f"pgqueue jobs priority {job_id} 9"


def test_jobs_before_it_in_its_lane_are_counted(db: Conn) -> None:
    knowing(db)
    fill(db, 3, limit_key="other")
    mine = fill(db, 3, limit_key="k")
    found = why(db, mine[2])
    assert (found.code, found.text) == ("behind", "behind 2 jobs of its lane")


def test_a_row_that_somebody_has_locked_names_the_session(db: Conn, connect: Connect) -> None:
    knowing(db)
    job_id = enqueue(db)
    holder = connect(application_name="psql")
    holder.execute("select from pgqueue.jobs where id = %s for update", [job_id])
    found = why(db, job_id)
    pid = holder.info.backend_pid
    assert (found.code, found.detail["pid"]) == ("locked", pid)
    assert f"pid {pid} (postgres, psql, idle in transaction)" in found.text
    assert found.cure == f"select pg_terminate_backend({pid});"
    holder.rollback()
    assert why(db, job_id).code == "ready"


def test_a_job_that_is_unique_until_its_start_waits_for_who_found_it(db: Conn, connect: Connect) -> None:
    knowing(db)
    job_id = enqueue(db, unique_key="k", unique_until="start")
    finder = connect()
    assert enqueue(finder, unique_key="k", unique_until="start") == job_id
    found = why(db, job_id)
    pid = finder.info.backend_pid
    assert (found.code, found.cure) == ("unique", f"select pg_terminate_backend({pid});")
    assert f"waits for the transaction of pid {pid}, which found it waiting" in found.text
    finder.commit()
    assert why(db, job_id).code == "ready"


def test_a_row_that_a_prepared_transaction_has_locked_says_so(db: Conn, connect: Connect) -> None:
    knowing(db)
    job_id = enqueue(db)
    with connect(autocommit=True) as other:
        other.execute("begin")
        other.execute("update pgqueue.jobs set priority = 6 where id = %s", [job_id])
        other.execute("prepare transaction 'gone'")
    found = why(db, job_id)
    assert (found.code, found.cure) == ("locked", "pgqueue doctor --only horizon")
    assert found.text == "its row is locked by a transaction that was prepared and not committed"
    db.execute("rollback prepared 'gone'")
    assert why(db, job_id).code == "ready"


def test_a_row_that_several_have_locked_names_one(db: Conn, connect: Connect) -> None:
    knowing(db)
    job_id = enqueue(db)
    holders = [connect(), connect()]
    for holder in holders:
        holder.execute("select from pgqueue.jobs where id = %s for share", [job_id])
    found = why(db, job_id)
    assert found.code == "locked"
    assert found.detail["pid"] in [holder.info.backend_pid for holder in holders]


def test_a_job_that_nobody_takes_for_no_reason_points_at_deaf_workers(db: Conn) -> None:
    knowing(db)
    job_id = enqueue(db)
    db.execute("update pgqueue.jobs set run_at = now() - interval '2 min'")
    found = why(db, job_id)
    assert (found.code, found.cure) == ("deaf", "pgqueue doctor")


def test_a_job_that_is_about_to_be_taken_is_ready(db: Conn) -> None:
    knowing(db)
    assert why(db, enqueue(db)).code == "ready"


def test_there_is_no_explanation_for_a_job_that_never_was(db: Conn) -> None:
    with pytest.raises(pgqueue.JobNotFound):
        pgqueue.explain(db, "00000000-0000-7000-8000-000000000000")


def test_on_an_async_connection_it_is_awaited(db: Conn, dsn: str) -> None:
    asyncio.run(_awaited(dsn, enqueue(db)))


async def _awaited(dsn: str, job_id: UUID) -> None:
    async with await psycopg.AsyncConnection.connect(dsn, row_factory=dict_row) as conn:
        assert (await pgqueue.explain(conn, job_id)).headline.code == "unserved"
        assert (await pgqueue.explain_queue(conn, "default")).headline.code == "unserved"


def test_everything_is_asked_without_a_right_to_write(db: Conn) -> None:
    job_id = enqueue(db)
    db.execute("set default_transaction_read_only = on")
    assert why(db, job_id).code == "unserved"


def test_sql_answers_what_python_does(db: Conn) -> None:
    job_id = enqueue(db, delay=HOUR)
    row: Any = db.execute("select code from pgqueue.explain(%s) where holds order by ord limit 1", [job_id]).fetchone()
    assert row == ("scheduled",)


@pytest.mark.parametrize("target", ["a.b.c:f", "a:f", "a.b", "", ":", "a..b:c", "a:b:c", "x.y:a.b", "a.b:"])
@pytest.mark.parametrize("names", [["a"], ["a.b"], ["a.b.c:f"], ["a:b"], ["x"], ["a.b.c"], ["a:b", "ab"]])
def test_the_names_that_cover_a_target_are_those_by_which_a_worker_knows_it(
    db: Conn, target: str, names: list[str]
) -> None:
    row = db.execute(
        "select pgqueue.knows(%(names)s, %(target)s), %(names)s && pgqueue.covering_names(%(target)s)",
        {"names": names, "target": target},
    ).fetchone()
    assert row is not None
    assert row[0] == row[1]
