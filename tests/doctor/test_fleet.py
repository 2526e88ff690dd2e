"""What workers and jobs do not fit in is found, and gone after the cure."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pgqueue.job import JobState
from pgqueue.outcome import Move, Settlement
from pgqueue.store import execute, jobs, queues, unknown, workers
from tests.conftest import Connect
from tests.doctor.conftest import Examine, cure
from tests.explaining.asking import knowing
from tests.explaining.test_reports import report
from tests.factories import (
    HOUR,
    Conn,
    claim,
    claim_one,
    count,
    enlist,
    enqueue,
    expire,
    fail,
    fill,
    make,
    state,
)
from tests.limits import rule, stray_holds, take_keyed

NONE = timedelta(0)


def test_tasks_that_no_live_worker_knows_are_named_with_the_nearest(db: Conn, examine: Examine) -> None:
    knowing(db, "shop.tasks:sand")
    fill(db, 3)
    found = examine("targets")
    assert (found.status, found.cure) == ("warn", "pgqueue worker -A shop.tasks")
    assert found.text.endswith("knows shop.tasks:send: 3 jobs (nearest: shop.tasks:sand)")
    knowing(db)
    assert examine("targets").status == "ok"


def test_parked_jobs_count_as_well(db: Conn, examine: Examine) -> None:
    stranger = knowing(db, "blog:post")
    taken = claim_one(db, worker=stranger)
    execute(db, unknown.park(stranger, [Settlement(taken.id, taken.claim, Move.PARK, "released", error="none")]))
    assert "shop.tasks:send: 1 job" in examine("targets").text


def test_a_queue_that_nobody_serves_is_named(db: Conn, examine: Examine) -> None:
    enqueue(db, queue="it's mail")
    found = examine("queues_unserved")
    assert (found.status, found.cure) == ("FAIL", "pgqueue worker -A shop.tasks")
    assert found.text == "jobs are due in it's mail, and no worker runs"
    worker = knowing(db, queues=["web"])
    found = examine("queues_unserved")
    assert found.cure == """pgqueue worker -A shop.tasks -Q 'it'"'"'s mail'"""
    serving = knowing(db)
    assert examine("queues_unserved").status == "ok"
    execute(db, workers.ask(serving, "quiet"))
    assert examine("queues_unserved").status == "FAIL"
    execute(db, queues.pause("it's mail"))
    assert examine("queues_unserved").status == "ok"
    assert worker


def test_jobs_in_lanes_are_not_served_either(db: Conn, examine: Examine) -> None:
    enqueue(db, limit_key="k")
    assert examine("queues_unserved").status == "FAIL"


def test_workers_that_vanished_are_reaped_by_the_cure(db: Conn, examine: Examine) -> None:
    taken = claim_one(db)
    expire(db, taken.worker)
    assert examine("leases").status == "ok"
    found = examine("leases", lease=NONE)
    assert (found.status, found.cure) == ("FAIL", "select * from pgqueue.reap();")
    assert found.text.endswith("(here, pid 1), their jobs not taken back: no worker runs")
    cure(db, found)
    assert examine("leases", lease=NONE).status == "ok"
    assert state(db, taken.id) is JobState.READY


def test_workers_of_two_deploys_are_told(db: Conn, examine: Examine) -> None:
    first, second = knowing(db), knowing(db)
    db.execute("update pgqueue.workers set rule_sets = array['shop=1'] where id = %s", [first])
    db.execute("update pgqueue.workers set rule_sets = array['shop=2'] where id = %s", [second])
    found = examine("releases")
    assert (found.status, found.text) == ("warn", "live workers declare 2 different sets of rules for app shop")
    execute(db, workers.discharge(first, clean=True))
    assert examine("releases").status == "ok"


def test_workers_of_an_older_release_are_told(db: Conn, examine: Examine) -> None:
    old = enlist(db)
    assert examine("releases").text == "1 live worker(s) of an older release (here, pid 1)"
    execute(db, workers.discharge(old, clean=True))
    assert examine("releases").status == "ok"


def test_attempts_that_end_by_their_timeout_are_told_until_the_queue_has_a_longer_one(
    db: Conn, examine: Examine
) -> None:
    taken = claim_one(db)
    fail(db, taken, HOUR)
    db.execute("update pgqueue.attempts set outcome = 'timeout', started_at = finished_at - interval '1 h'")
    found = examine("timeouts")
    assert found.status == "warn"
    assert found.text == "attempts end by their timeout: shop.tasks:send: 1 of 1 attempts, the longest of 60 min"
    assert (found.cure or "").endswith("pgqueue queues set --timeout 7201 -- default")
    db.execute("select pgqueue.set_queue('default', timeout => '7201 s')")
    assert examine("timeouts").status == "ok"


def test_a_schedule_that_nobody_looks_at_is_told(db: Conn, examine: Examine) -> None:
    db.execute("select pgqueue.schedule('nightly', 'shop.tasks:send', cron => '0 3 * * *')")
    assert examine("schedules_missed").status == "ok"
    db.execute("update pgqueue.schedules set next_at = now() - interval '1 h'")
    found = examine("schedules_missed")
    assert (found.status, found.cure) == ("FAIL", "pgqueue worker -A shop.tasks")
    assert found.text == "schedule nightly was to be looked at 60 min ago, and 0 others: no worker runs"


def test_a_schedule_that_nobody_can_decide_about_is_told_until_it_is_paused(db: Conn, examine: Examine) -> None:
    db.execute("select pgqueue.schedule('a b', 'shop.tasks:send', cron => '0 3 * * *')")
    db.execute("update pgqueue.schedules set fault = 'no such zone'")
    found = examine("schedules_missed")
    assert (found.status, found.text) == ("FAIL", "nobody can decide about a b (no such zone)")
    assert (found.cure or "").endswith("pgqueue schedules pause -- 'a b'")
    db.execute("select pgqueue.pause_schedule('a b')")
    assert examine("schedules_missed").status == "ok"


def test_what_belongs_to_nothing_is_tidied_by_the_cure(db: Conn, connect: Connect, examine: Examine) -> None:
    rule(db, "key", "k", concurrency=5)
    fill(db, 2, limit_key="k")
    first, second = take_keyed(db, knowing(db, concurrency=9))
    lost = claim_one(db, worker=enlist(db))
    assert examine("orphans").status == "ok"
    db.execute("update pgqueue.jobs set hold = null where id = %s", [first.id])
    execute(db, jobs.cancel(second.id))
    db.execute("delete from pgqueue.jobs where id = any (%s)", [[first.id, second.id]])
    db.execute("delete from pgqueue.workers where id = %s", [lost.worker])
    found = examine("orphans")
    assert found.status == "warn"
    assert found.text == (
        "2 shares of limits whose job does not run; 1 jobs whose worker has no row; 1 cancellations of jobs that ended"
    )
    cure(db, found)
    assert examine("orphans").status == "ok"
    assert (stray_holds(db), count(db, "cancellations")) == (0, 0)
    assert state(db, lost.id) is JobState.READY


def test_large_arguments_are_told_with_their_job(db: Conn, examine: Examine) -> None:
    small = enqueue(db, ["x"])
    assert examine("args_size").status == "ok"
    large: Any = db.execute("select string_agg(md5(n::text), '') from generate_series(1, 50000) as n").fetchone()
    job_id = enqueue(db, [large[0]], max_args=2**21)
    found = examine("args_size")
    assert found.status == "warn"
    assert found.text.startswith(f"job {job_id} of shop.tasks:send has arguments of 1,")
    assert (found.cure or "").endswith(f"pgqueue jobs cancel {job_id}")
    execute(db, jobs.cancel(job_id))
    assert examine("args_size").status == "ok"
    assert small


def test_the_oldest_job_is_told_with_who_explains_it(db: Conn, examine: Examine) -> None:
    assert examine("oldest").text == "no job is due"
    make(db, JobState.SCHEDULED)
    job_id = enqueue(db)
    db.execute("update pgqueue.jobs set run_at = now() - interval '3 h' where id = %s", [job_id])
    found = examine("oldest")
    assert (found.status, found.cure) == ("warn", f"pgqueue jobs explain {job_id}")
    assert found.text == f"job {job_id} of queue default has been due for 3 h"
    assert examine("oldest", oldest_fails=timedelta(hours=2)).status == "FAIL"
    claim(db, knowing(db))
    assert examine("oldest").status == "ok"


def test_workers_that_tell_different_releases_are_told(db: Conn, examine: Examine) -> None:
    for release in ("41", "42"):
        report(db, knowing(db), {"busy": 0, "release": release, "pgqueue": "0.1.0"})
    assert examine("releases").text == "live workers run 2 releases of the code: 41, 42"
    db.execute("delete from pgqueue.workers where id = (select min(id) from pgqueue.workers)")
    assert examine("releases").status == "ok"


def test_a_cause_that_is_new_or_back_is_told_until_somebody_says_it_is_known(db: Conn, examine: Examine) -> None:
    assert examine("causes").status == "ok"
    fail(db, claim_one(db), None)
    db.execute("update pgqueue.dead_jobs set cause = 'c0ffee000000'")
    db.execute(
        "insert into pgqueue.causes (cause, target, error_type) values ('c0ffee000000', 'shop.tasks:send', 'OSError')"
    )
    found = examine("causes")
    assert found.text == "c0ffee000000 OSError in shop.tasks:send, new: 0 failures, 1 dead"
    assert (found.cure or "").endswith("pgqueue causes mute c0ffee000000")
    db.execute("update pgqueue.causes set resolved_at = now() - interval '1 h', first_at = now() - interval '9 d'")
    assert (examine("causes").cure or "").endswith("pgqueue causes resolve c0ffee000000")
    db.execute("update pgqueue.causes set resolved_at = clock_timestamp()")
    assert examine("causes").status == "ok"


def test_tallies_that_are_late_are_told_and_added_up_by_the_cure(db: Conn, examine: Examine) -> None:
    worker = knowing(db)
    db.execute("update pgqueue.workers set started_at = now() - interval '1 h'")
    report(db, worker, {"busy": 0})
    db.execute("select pgqueue.note_depths()")
    assert examine("tallies_lag").status == "ok"
    db.execute("update pgqueue.duties set done_at = now() - interval '1 h'")
    db.execute(
        "insert into pgqueue.tallies (minute, worker, queue, target, outcome, n)"
        " values (date_trunc('minute', now()) - interval '2 h', 7, 'default', 'shop.tasks:send', 'succeeded', 1)"
    )
    found = examine("tallies_lag")
    assert found.text == "depths were noted 60 min ago; tallies lie unmerged for 2 h"
    cure(db, found)
    assert examine("tallies_lag").status == "ok"
    db.execute("update pgqueue.duties set done_at = default")
    assert examine("tallies_lag").text == "depths were never noted"
    db.execute("select pgqueue.note_depths()")
    db.execute("update pgqueue.worker_reports set tallied_until = now() - interval '1 h'")
    assert examine("tallies_lag").text == "1 live worker told nothing for 5 min"
