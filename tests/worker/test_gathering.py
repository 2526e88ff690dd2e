"""Gathering: how a worker brings the jobs of a batch together, and what becomes of them when something goes wrong."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from uuid import UUID

import pytest

from pgqueue.client import cancel, job_logs
from pgqueue.job import NewJob
from pgqueue.limits import set_limit
from tests.waiting import wait_until
from tests.worker.running import KINDS, ONE_KIND, Desk, StartProcess, StartThreaded, lines_of

BATCHES = "tests.worker.batch_tasks"
NEVER = 60.0


def ask(name: str, log: Path | None = None, how: str = "succeed", value: object = None, **options: object) -> NewJob:
    args = {"how": how, "log": str(log or ""), "value": value}
    return NewJob(f"{BATCHES}:{name}", args, **options)  # type: ignore[arg-type]  # options


def together(log: Path) -> list[list[str]]:
    """Who ran together, call by call."""
    return [json.loads(line) for line in lines_of(log)]


@pytest.mark.parametrize("kind", KINDS)
def test_jobs_that_wait_run_in_full_batches_and_none_twice(
    desk: Desk, start: StartThreaded, tmp_path: Path, kind: str
) -> None:
    log = tmp_path / "log"
    others = desk.send_many([NewJob("tests.worker.errands:work") for _ in range(50)])
    ids = desk.send_many([ask("do", log) for _ in range(450)])
    start(executor=kind, app=["tests.worker.errands", BATCHES], burst=True, concurrency=2).join()
    calls = together(log)
    assert sorted(each for call in calls for each in call) == sorted(map(str, ids))
    assert max(map(len, calls)) == 100
    assert len(calls) <= 15
    assert {desk.job(each).state for each in (*ids[::40], *others[::10])} == {"succeeded"}
    assert desk.one("select count(*) from pgqueue.attempts where outcome = 'succeeded'") == 500


def test_a_lone_job_waits_for_others_no_longer_than_said(desk: Desk, start: StartThreaded, tmp_path: Path) -> None:
    start(executor="thread", app=[BATCHES], poll=NEVER)
    desk.await_idle()
    began = time.monotonic()
    desk.await_state(desk.send_many([ask("do", tmp_path / "log")])[0])
    assert 0.15 < time.monotonic() - began < 2


def test_a_full_batch_does_not_wait_and_one_that_gathers_takes_who_comes(
    desk: Desk, start: StartThreaded, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    start(executor="thread", app=[BATCHES], poll=NEVER, concurrency=1)
    desk.await_idle()
    ids = desk.send_many([ask("patient", log)])
    wait_until(lambda: desk.job(ids[0]).state == "running")
    for _ in range(4):
        time.sleep(0.02)
        ids += desk.send_many([ask("patient", log)])
    # batch_wait is 30 s: the fifth job makes the batch full.
    for each in ids:
        desk.await_state(each, timeout=20)
    assert together(log) == [[str(each) for each in ids]]


def test_jobs_of_one_limit_key_run_together_and_keep_to_its_limit(
    desk: Desk, start: StartThreaded, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    set_limit(desk.conn, "key", "a", concurrency=3)
    keys = {}
    for key in ("a", "b", None):
        keys[key] = {str(each) for each in desk.send_many([ask("do", log, limit_key=key) for _ in range(12)])}
    start(executor="thread", app=[BATCHES], burst=True, concurrency=2).join(40)
    calls = together(log)
    assert sum(map(len, calls)) == 36
    for call in calls:
        assert sum(not keys[key].isdisjoint(call) for key in keys) == 1
        assert not (set(call) & keys["a"]) or len(call) <= 3
    assert max(len(call) for call in calls if set(call) & keys["b"]) > 3
    assert desk.one("select count(*) from pgqueue.holds") == 0


@pytest.mark.parametrize("how", ["fail all", "exit"])
def test_one_that_brings_the_call_down_is_found_and_its_neighbours_live(
    desk: Desk, start: StartThreaded, tmp_path: Path, how: str
) -> None:
    """A hundred jobs, some of which have only two attempts; one of them ends its process, or fails the call."""
    ids = desk.send_many([ask("do", tmp_path / "log", max_attempts=2 if n % 2 else 4) for n in range(99)])
    (guilty,) = desk.send_many([ask("do", how=how, max_attempts=4)])
    start(executor="process", app=[BATCHES], concurrency=2)
    job = desk.await_state(guilty, timeout=40)
    assert (job.state, job.reason) == ("dead", "poison" if how == "exit" else "exhausted")
    wait_until(lambda: desk.one("select count(*) = 0 from pgqueue.jobs"), 40)
    assert desk.one("select count(*) from pgqueue.dead_jobs") == 1
    assert {desk.job(each).state for each in ids} == {"succeeded"}
    assert all(len(desk.outcomes(each)) <= 4 for each in ids)


@pytest.mark.parametrize("kind", KINDS)
def test_a_stop_gives_a_batch_that_gathers_back_with_its_attempts(
    desk: Desk, start: StartThreaded, tmp_path: Path, kind: str
) -> None:
    worker = start(executor=kind, app=[BATCHES], poll=NEVER)
    desk.await_idle()
    ids = desk.send_many([ask("patient", tmp_path / "log") for _ in range(3)])
    wait_until(lambda: [desk.job(each).state for each in ids] == ["running"] * 3)
    assert worker.stop() == 0
    assert [(desk.job(each).state, desk.job(each).attempt) for each in ids] == [("ready", 0)] * 3
    assert [desk.outcomes(each) for each in ids] == [[]] * 3


def test_a_job_that_is_cancelled_while_its_batch_gathers_never_begins(
    desk: Desk, start: StartThreaded, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    start(executor="thread", app=[BATCHES], poll=NEVER, lease=3)
    desk.await_idle()
    ids = desk.send_many([ask("patient", log) for _ in range(3)])
    wait_until(lambda: [desk.job(each).state for each in ids] == ["running"] * 3)
    cancel(desk.conn, ids[1])
    assert desk.await_state(ids[1]).state == "cancelled"
    more = desk.send_many([ask("patient", log) for _ in range(3)])
    for each in (ids[0], ids[2], *more):
        desk.await_state(each)
    assert str(ids[1]) not in {each for call in together(log) for each in call}


def test_a_killed_worker_costs_each_job_of_its_batch_one_attempt_and_ends_none(
    desk: Desk, spawn: StartProcess, start: StartThreaded, tmp_path: Path
) -> None:
    ids = desk.send_many([ask("do", how="sleep", value=30)] + [ask("do") for _ in range(20)])
    victim = spawn(executor="thread", app=[BATCHES], lease=2, concurrency=1)
    wait_until(lambda: desk.one("select count(*) from pgqueue.jobs where worker is not null") == 21)
    time.sleep(0.5)
    os.killpg(victim.pid, signal.SIGKILL)
    victim.wait()
    desk.conn.execute("update pgqueue.jobs set args = '{}' where id = %s", [ids[0]])
    start(executor="thread", app=[BATCHES], poll=0.2)
    for each in ids:
        desk.await_state(each, timeout=20)
    assert {tuple(desk.outcomes(each)) for each in ids} == {("lost", "succeeded")}


@pytest.mark.parametrize("kind", ONE_KIND)
def test_a_transactional_batch_commits_with_all_its_successes_or_without_who_failed(
    desk: Desk, start: StartThreaded, kind: str
) -> None:
    ids = desk.send_many([ask("write", value=n, max_attempts=3) for n in range(1, 21)])
    (bad,) = desk.send_many([ask("write", how="fail", value=1000, max_attempts=3)])
    start(executor=kind, app=[BATCHES], concurrency=1)
    assert desk.await_state(bad, timeout=20).reason == "exhausted"
    desk.await_all_ended()
    assert sorted(desk.values("select value from effects")) == list(range(1, 21))
    assert {desk.job(each).state for each in ids} == {"succeeded"}
    # Who did not fail is not charged for who did.
    assert {desk.job(each).attempt for each in ids} == {1}


@pytest.mark.parametrize("kind", ONE_KIND)
def test_a_batch_whose_one_lease_is_gone_writes_nothing_and_the_others_run_again(
    desk: Desk, start: StartThreaded, kind: str
) -> None:
    ids = desk.send_many([ask("write", how="sleep", value=1)] + [ask("write", value=n) for n in (2, 3)])
    start(executor=kind, app=[BATCHES], concurrency=1)
    wait_until(lambda: desk.one("select count(*) from pgqueue.jobs where started_at is not null") == 3)
    time.sleep(0.3)
    # As if it had been given to another worker.
    desk.conn.execute("update pgqueue.jobs set worker = 4711, claim = claim + 1 where id = %s", [ids[2]])
    for each in ids[:2]:
        assert desk.await_state(each, timeout=20).state == "succeeded"
    assert sorted(desk.values("select value from effects")) == [1, 2]
    assert (desk.job(ids[2]).state, desk.job(ids[2]).attempt) == ("running", 1)
    desk.conn.execute("delete from pgqueue.jobs")


@pytest.mark.parametrize("kind", KINDS)
def test_lines_of_a_batch_are_kept_with_the_job_that_said_them(desk: Desk, start: StartThreaded, kind: str) -> None:
    ids = desk.send_many([ask("do", how="lines", value=n) for n in range(3)])
    start(executor=kind, app=[BATCHES], burst=True).join()

    def kept(job_id: UUID) -> list[str]:
        return [line.line for line in job_logs(desk.conn, job_id)]

    wait_until(lambda: [kept(each) for each in ids] == [[f"line of {n}"] for n in range(3)])


def test_a_row_that_no_claim_may_touch_holds_up_no_batch_but_its_own(
    desk: Desk, start: StartThreaded, tmp_path: Path
) -> None:
    """A trigger refuses one row of many: all others succeed, before it and behind it."""
    log = tmp_path / "log"
    ids = desk.send_many([ask("do", log) for _ in range(60)])
    desk.conn.execute(
        f"""
        create function refuse() returns trigger language plpgsql as $$ begin raise 'not this one'; end $$;
        create trigger refuse before update on pgqueue.jobs for each row
        when (old.id = '{ids[30]}') execute function refuse()
        """
    )
    start(executor="thread", app=[BATCHES], poll=0.2, concurrency=1)
    wait_until(lambda: desk.one("select count(*) from pgqueue.jobs") == 1, 30)
    assert desk.values("select id from pgqueue.jobs") == [ids[30]]
    desk.conn.execute("drop trigger refuse on pgqueue.jobs")
