"""What the claim loop takes, holds and gives back."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from pgqueue.client import enqueue
from pgqueue.events import AttemptsFinished, AttemptsLate, Event, Finished, Trouble, WorkerStopping
from pgqueue.job import Claim, NewJob
from pgqueue.worker.claiming.ageing import Ageing
from pgqueue.worker.claiming.claimer import Claimer, Slots
from pgqueue.worker.claiming.outbox import Outbox
from pgqueue.worker.claiming.ration import LONGEST_REST, SAMPLE_EVERY
from pgqueue.worker.selection import select
from tests.conftest import Connect
from tests.factories import enlist, success
from tests.waiting import wait_until
from tests.worker.running import ANY_KIND, ERRANDS, KINDS, NEVER, Desk, StartThreaded, lines_of


@pytest.mark.parametrize("kind", ANY_KIND)
def test_claims_follow_priority_then_time_then_id(start: StartThreaded, desk: Desk, tmp_path: Path, kind: str) -> None:
    path = str(tmp_path / "order")
    new = [
        NewJob(f"{ERRANDS}:record", [path, f"{priority}{name}"], priority=priority)
        for name in "abc"
        for priority in (1, 9, 5)
    ]
    desk.send_many(new)
    worker = start(executor=kind, concurrency=1, burst=True)
    assert worker.join() == 0
    assert lines_of(tmp_path / "order") == ["9a", "9b", "9c", "5a", "5b", "5c", "1a", "1b", "1c"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_waits_behind_long_jobs_is_given_back_for_others(start: StartThreaded, desk: Desk, kind: str) -> None:
    start(executor=kind, concurrency=1, poll=NEVER)
    # Many quick ones, so that it claims far ahead, then one that takes long and many quick ones behind it.
    ids = desk.send_many([NewJob(f"{ERRANDS}:work", [0.001]) for _ in range(400)])
    slow = desk.send("work", 5.0)
    ids += desk.send_many([NewJob(f"{ERRANDS}:work", [0.001]) for _ in range(100)])
    desk.await_state(slow, "running")
    start(executor=kind, concurrency=1, poll=NEVER)
    wait_until(lambda: desk.one("select count(*) = 1 from pgqueue.jobs"), 4, "only the long one is left")
    assert desk.job(slow).state == "running"
    desk.await_all_ended()
    desk.check_books([*ids, slow], succeeded=501)
    assert desk.one("select max(attempt) from pgqueue.attempts") == 1
    # Given back once and run elsewhere, not claimed again and again by who cannot run it.
    assert desk.one("select max(claim) from pgqueue.attempts") <= 3


def test_a_job_known_beforehand_starts_when_it_is_due_beside_a_long_one(start: StartThreaded, desk: Desk) -> None:
    """A step that claims something does not ask when the next falls due: another one must, and soon."""
    start(executor="thread", concurrency=2, poll=NEVER)
    delayed = desk.send_many([NewJob(f"{ERRANDS}:work", [0.0], delay=1.5)])
    long = desk.send("work", 4.0)
    desk.await_state(long, "running")
    wait_until(lambda: desk.job(delayed[0]).state == "succeeded", 3, "the delayed job has run")
    assert desk.job(long).state == "running"


@pytest.mark.parametrize("kind", ANY_KIND)
def test_no_more_is_claimed_than_runs_soon(start: StartThreaded, desk: Desk, kind: str) -> None:
    start(executor=kind, concurrency=2)
    desk.send_many([NewJob(f"{ERRANDS}:work", [0.5]) for _ in range(50)])
    wait_until(lambda: desk.one("select count(*) > 0 from pgqueue.job where state = 'succeeded'"))
    assert desk.one("select count(*) from pgqueue.jobs where worker is not null") <= 4
    desk.conn.execute("delete from pgqueue.jobs where worker is null")


def test_a_job_past_its_ttl_is_never_started(start: StartThreaded, desk: Desk, tmp_path: Path) -> None:
    expired = desk.send("record", str(tmp_path / "expired"), "x", ttl=0.01)
    fresh = desk.send("record", str(tmp_path / "fresh"), "x", ttl=60)
    # Due, and its time to live over: by the database's clock.
    wait_until(lambda: desk.one("select expires_at < now() from pgqueue.jobs where id = %s", expired))
    assert start(executor="thread", burst=True).join() == 0
    job = desk.job(expired)
    assert (job.state, job.reason, job.attempt) == ("dead", "expired", 0)
    assert desk.job(fresh).state == "succeeded"
    assert not (tmp_path / "expired").exists()


def test_an_error_of_one_step_is_told_and_the_next_goes_on(start: StartThreaded, desk: Desk) -> None:
    worker = start(executor="thread", poll=NEVER)
    desk.await_idle()
    desk.conn.execute("alter function pgqueue.next_due rename to next_due_gone")
    job_id = desk.send("work")
    wait_until(lambda: worker.heard(Trouble))
    desk.conn.execute("alter function pgqueue.next_due_gone rename to next_due")
    assert desk.await_state(job_id).state == "succeeded"
    assert desk.outcomes(job_id) == ["succeeded"]


def test_an_observer_that_raises_stops_nothing(start: StartThreaded, desk: Desk) -> None:
    worker = start(executor="thread")

    def broken(event: Event) -> None:
        raise RuntimeError(type(event).__name__)

    worker.worker._observers.insert(0, broken)
    desk.await_state(desk.send("work"))
    wait_until(lambda: worker.heard(AttemptsFinished))


def test_a_burst_ends_after_its_observers_heard_what_its_last_job_came_to(start: StartThreaded, desk: Desk) -> None:
    desk.send("work", 0.5)
    worker = start(executor="thread", burst=True)
    heard: list[str] = []

    def slow(event: Event) -> None:
        if isinstance(event, AttemptsFinished):
            # Longer than the main thread takes to see that nothing is due.
            time.sleep(0.5)
        heard.append(type(event).__name__)

    worker.worker._observers.insert(0, slow)
    assert worker.join() == 0
    assert heard.index("AttemptsFinished") < heard.index("WorkerStopping")


@pytest.mark.parametrize("kind", ANY_KIND)
def test_a_lost_reply_to_a_claim_leaves_nothing_running(start: StartThreaded, desk: Desk, dsn: str, kind: str) -> None:
    """The step commits, and its answer never arrives: what it claimed is given back, not charged."""
    worker = start(executor=kind, concurrency=4, lease=30)
    ids = desk.send_many([NewJob(f"{ERRANDS}:work", [0.002]) for _ in range(600)])
    pause = 0.05
    with psycopg.connect(dsn, autocommit=True) as cutter:
        while desk.one("select exists (select from pgqueue.jobs)"):
            cutter.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where application_name = 'pgqueue claimer' and datname = current_database()"
            )
            # In the end long enough for one to connect, claim and settle, however busy the machine is.
            time.sleep(pause)
            pause *= 1.05
    desk.check_books(ids, succeeded=600)
    assert desk.one("select count(*) from pgqueue.attempts") == 600
    assert desk.one("select max(attempt) from pgqueue.attempts") == 1
    assert not worker.heard(AttemptsLate)
    assert worker.stop() == 0
    assert desk.workers() == []


def test_no_two_workers_run_the_same_job(start: StartThreaded, desk: Desk) -> None:
    ids = desk.send_many([NewJob(f"{ERRANDS}:effect", [value]) for value in range(600)])
    workers = [start(executor="thread", concurrency=3, burst=True) for _ in range(4)]
    assert [worker.join() for worker in workers] == [0] * 4
    desk.check_books(ids, succeeded=600)
    desk.check_effects(range(600))
    assert desk.one("select max(claim) from pgqueue.attempts where outcome = 'succeeded'") <= 2


def test_a_job_of_a_time_that_python_cannot_hold_runs_all_the_same(start: StartThreaded, desk: Desk) -> None:
    # West of Greenwich it lies before the year 1.
    desk.conn.execute("alter table pgqueue.jobs drop constraint jobs_times")
    west = sql.SQL("alter database {} set timezone = 'America/New_York'")
    desk.conn.execute(west.format(sql.Identifier(desk.conn.info.dbname)))
    job_id = desk.send("work", delay=3600)
    desk.conn.execute("update pgqueue.jobs set run_at = '0001-01-01 00:00:01+00'")
    start(executor="thread", poll=NEVER)
    desk.await_state(job_id, "succeeded")


def test_what_lies_below_the_bounds_is_found_at_once(start: StartThreaded, desk: Desk) -> None:
    start(executor="thread", poll=NEVER)
    desk.await_idle()
    past = datetime(2000, 1, 1, tzinfo=UTC)
    for _ in range(2 * SAMPLE_EVERY):
        desk.await_state(desk.send("work", run_at=past), timeout=LONGEST_REST + 2)


def test_p8_what_was_heard_while_there_was_no_room_is_not_forgotten(dsn: str, desk: Desk) -> None:
    taken: list[Claim] = []
    load = [0]
    outbox = Outbox(lambda first: claimer.outcomes_waiting(first))
    claimer = Claimer(
        enlist(desk.conn),
        dsn,
        select(["default"]),
        Slots(2, taken.extend, lambda: load[0], lambda _: []),
        outbox,
        lambda _: None,
        poll=NEVER,
        burst=False,
        ageing=Ageing(None),
        hungry=lambda _: None,
        deaf=lambda: False,
        evicted=lambda _: None,
    )
    # As long as a worker that has been idle for a while waits.
    claimer._pace._probe = NEVER
    desk.send("work")
    claimer.loop.start()
    wait_until(lambda: taken)
    load[0] = 1000
    second = desk.send("work")
    claimer.wake()
    outbox.add([Finished(taken[0], success(taken[0]), 0.0)])
    wait_until(lambda: not len(outbox))
    load[0] = 0
    claimer.loop.wake()
    wait_until(lambda: [claim.id for claim in taken[1:]] == [second], 3)
    claimer.stop(20)


def test_p3_what_a_slow_claim_brings_after_the_stop_is_not_charged(
    start: StartThreaded, desk: Desk, connect: Connect
) -> None:
    worker = start(executor="thread", queues=["default"], poll=0.1)
    desk.await_idle()
    slow = connect()
    made = enqueue(slow, f"{ERRANDS}:work").id
    slow.execute("lock table pgqueue.jobs in access exclusive mode")
    waits = "select wait_event_type = 'Lock' from pg_stat_activity where pid = %s"
    wait_until(lambda: any(desk.one(waits, pid) for pid in desk.backends("claimer")))
    worker.worker.stop()
    wait_until(lambda: worker.heard(WorkerStopping))
    slow.commit()
    assert worker.join() == 0
    assert (desk.job(made).attempt, desk.outcomes(made)) == (0, [])
