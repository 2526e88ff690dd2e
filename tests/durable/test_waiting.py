"""Sleeps and waits: without a slot, without an attempt, and never lost."""

from __future__ import annotations

import time
from datetime import timedelta

import psycopg
import pytest

import pgqueue
from pgqueue.testing import drain, time_travel
from tests.conftest import Connect
from tests.durable import tasks
from tests.durable.conftest import Conn, lines
from tests.waiting import wait_until
from tests.worker.running import KINDS, Desk, StartThreaded

TASKS = "tests.durable.tasks"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["sleepy", "sleepy_async"])
def test_a_sleeper_wakes_and_goes_on_behind_its_sleep(
    start: StartThreaded, desk: Desk, log: str, kind: str, name: str
) -> None:
    start(executor=kind, app=[TASKS], concurrency=1)
    job = desk.send(f"{TASKS}:{name}", log, 0.3)
    assert desk.await_state(job).state == "succeeded"
    assert lines(log) == ["before", "after"]
    assert desk.outcomes(job) == ["released", "succeeded"]
    assert desk.job(job).attempt == 1
    before, night, after = pgqueue.steps(desk.conn, job)
    assert (night.kind, night.name) == ("sleep", "night")
    assert night.until is not None
    assert after.at >= night.until >= before.at + timedelta(seconds=0.3)


def test_months_pass_without_a_slot_or_an_attempt(conn: Conn, log: str) -> None:
    job = tasks.sleepy.enqueue(conn, log, 90 * 86_400)
    (ran,) = drain(conn)
    assert (ran.outcome, ran.message) == ("released", "night sleeps")
    for _ in range(3):
        # Woken too early, by hand, it goes on to sleep.
        pgqueue.retry(conn, job.id)
        (ran,) = drain(conn)
        assert ran.outcome == "released"
    found = pgqueue.explain(conn, job.id).headline
    assert (found.code, found.detail["step"]) == ("sleeping", "night")
    with time_travel(conn, days=89):
        assert drain(conn) == []
    with time_travel(conn, days=91):
        (ran,) = drain(conn)
    assert (ran.outcome, ran.attempt, lines(log)) == ("succeeded", 1, ["before", "after"])


def test_a_function_that_keeps_itself_awake_fails_and_is_told_why(conn: Conn) -> None:
    tasks.sleepless.enqueue(conn)
    (ran,) = drain(conn, raises=False)
    assert ran.reason == "exhausted"
    assert "it swallowed pgqueue.Suspended" in str(ran.message)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["patient", "patient_async"])
def test_a_signal_wakes_who_waits_for_it(start: StartThreaded, desk: Desk, kind: str, name: str) -> None:
    start(executor=kind, app=[TASKS], poll=60)
    job = desk.send(f"{TASKS}:{name}")
    wait_until(lambda: desk.outcomes(job) == ["released"], 10, "that it waits")
    found = pgqueue.explain(desk.conn, job).headline
    assert (found.code, found.detail["signal"]) == ("waiting", "approval")
    assert found.cure == f"pgqueue signal {job} approval"
    began = time.monotonic()
    assert pgqueue.signal(desk.conn, job, "approval", {"by": "ann"})
    assert desk.await_state(job).state == "succeeded"
    assert time.monotonic() - began < 5
    assert pgqueue.result(desk.conn, job) == {"by": "ann"}
    assert not pgqueue.signal(desk.conn, job, "approval", {"by": "bob"})


def test_a_signal_may_come_before_the_wait_and_the_first_one_wins(conn: Conn) -> None:
    job = tasks.patient.enqueue(conn)
    assert pgqueue.signal(conn, job, "approval", [1])
    assert not pgqueue.signal(conn, job, "approval", [2])
    (ran,) = drain(conn)
    assert (ran.outcome, ran.value) == ("succeeded", [1])


def test_a_wait_times_out_once_for_all(conn: Conn) -> None:
    job = tasks.forgetful.enqueue(conn)
    assert [each.message for each in drain(conn)] == ["waits for the signal 'approval'"]
    with time_travel(conn, hours=1):
        assert [each.message for each in drain(conn)] == ["waits for the signal 'go'"]
        assert pgqueue.signal(conn, job, "approval", "at last")
        assert pgqueue.signal(conn, job, "go")
        (ran,) = drain(conn)
    assert (ran.outcome, ran.value) == ("succeeded", "late")


def test_a_signal_is_the_callers_to_commit(connect: Connect, desk: Desk, start: StartThreaded) -> None:
    job = desk.send(f"{TASKS}:patient")
    own = connect()
    assert pgqueue.signal(own, job, "approval", 1)
    start(executor="thread", app=[TASKS], poll=0.1)
    wait_until(lambda: desk.outcomes(job) == ["released"] * 2, 10, "two looks while it is being sent")
    own.rollback()
    wait_until(lambda: desk.one("select run_at > now() + interval '1 hour' from pgqueue.jobs"), 10, "that it waits")
    assert pgqueue.signal(own, job, "approval", 2)
    own.commit()
    assert desk.await_state(job).state == "succeeded"
    assert pgqueue.result(desk.conn, job) == 2


def test_a_signal_of_nobody_is_refused_and_one_to_an_ended_job_is_late(conn: Conn) -> None:
    job = tasks.patient.enqueue(conn, timeout=0)
    with pytest.raises(pgqueue.JobNotFound):
        pgqueue.signal(conn, "01a0c5d6-0000-7000-8000-000000000000", "approval")
    with pytest.raises(pgqueue.OptionError, match="does not begin with pgqueue:"), conn.transaction():
        pgqueue.signal(conn, job, "pgqueue:end")
    (ran,) = drain(conn)
    assert ran.value == "nobody came"
    assert pgqueue.signal(conn, job, "approval") is False


def test_a_waiting_function_is_cancelled_as_any_job_that_waits(conn: Conn) -> None:
    job = tasks.patient.enqueue(conn)
    drain(conn)
    assert pgqueue.cancel(conn, job) == "cancelled"
    assert drain(conn) == []


def test_a_human_approves_or_does_not(conn: Conn) -> None:
    for answer, expected in (
        (lambda item: pgqueue.manual_done(conn, item, {"by": "ann"}), [True, {"by": "ann"}, None, False]),
        (lambda item: pgqueue.manual_done(conn, item, False), [False, False, "the answer was no", False]),
        (lambda item: pgqueue.manual_fail(conn, item, why="too much"), [False, None, "too much", False]),
    ):
        tasks.asking.enqueue(conn)
        drain(conn)
        (item,) = pgqueue.manual_jobs(conn)
        assert item.job.args["question"] == "Refund order 42?"
        assert item.job.args["about"] == {"amount": 12}
        assert pgqueue.explain(conn, item.job).headline.code == "manual"
        answer(item.job)
        (ran,) = drain(conn)
        assert (ran.outcome, ran.value) == ("succeeded", expected)


def test_a_question_that_nobody_answers_in_time_is_withdrawn(conn: Conn) -> None:
    tasks.asking.enqueue(conn, 60)
    drain(conn)
    with time_travel(conn, hours=1):
        (ran,) = drain(conn)
    assert ran.value == [False, None, "nobody answered in time", True]
    assert pgqueue.manual_jobs(conn) == []


def test_a_question_that_is_given_back_to_code_waits_for_a_human_again(conn: Conn) -> None:
    tasks.asking.enqueue(conn)
    drain(conn)
    (item,) = pgqueue.manual_jobs(conn)
    pgqueue.retry(conn, item.job)
    assert [each.fallback for each in drain(conn)] == ["human"]
    pgqueue.manual_done(conn, item.job)
    (ran,) = drain(conn)
    assert ran.value == [True, None, None, False]


def test_a_sender_whose_snapshot_is_old_wakes_by_upkeep(connect: Connect, desk: Desk, start: StartThreaded) -> None:
    job = desk.send(f"{TASKS}:patient")
    own = connect()
    own.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    own.execute("select 1 from pgqueue.jobs")
    start(executor="thread", app=[TASKS])
    wait_until(lambda: desk.outcomes(job) == ["released"], 10, "that it waits")
    assert pgqueue.signal(own, job, "approval", 1)
    own.commit()
    desk.conn.execute("select pgqueue.reap()")
    assert desk.await_state(job).state == "succeeded"
    assert desk.one("select unsure from pgqueue.signals") is False
