"""A job goes on where the attempt before it was: in its work's own transaction, or as it said."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

import pgqueue
from pgqueue.errors import LeaseLost
from pgqueue.store import execute, progress
from pgqueue.worker.attempts import units
from tests import factories
from tests.conftest import Connect
from tests.waiting import wait_until
from tests.worker.running import KINDS, ONE_KIND, Desk, StartProcess, StartThreaded, lines_of

TASKS = "tests.worker.long_tasks"
NEVER = "ff000000-0000-7000-8000-000000000000"


def place(conn: psycopg.Connection[Any], job: UUID) -> Any:
    found = execute(conn, progress.checkpointed(job))
    return None if found is None else found[1]


@pytest.mark.parametrize(
    ("kind", "task"),
    [*((kind, "remember") for kind in KINDS), ("async", "remember_async"), ("process", "remember_async")],
)
def test_the_next_attempt_is_given_the_last_checkpoint(
    start: StartThreaded, desk: Desk, kind: str, task: str, tmp_path: Path
) -> None:
    start(executor=kind, app=[TASKS], concurrency=1)
    job = desk.send(f"{TASKS}:{task}", str(tmp_path / "log"), 2)
    assert desk.await_state(job).state == "succeeded"
    assert lines_of(tmp_path / "log") == ["None", "{'done': 1}", "{'done': 2}"]
    if task == "remember_async":
        assert desk.errors(job)[1].endswith("not yet, after {'done': 1}")


def test_a_dead_job_keeps_it_and_goes_on_from_there_when_it_is_retried(
    start: StartThreaded, desk: Desk, tmp_path: Path
) -> None:
    start(executor="thread", app=[TASKS], concurrency=1)
    job = desk.send(f"{TASKS}:remember", str(tmp_path / "log"), 2, max_attempts=2)
    assert desk.await_state(job).state == "dead"
    desk.conn.execute("select pgqueue.prune('7 days', '180 days', 1000)")
    assert place(desk.conn, job) == {"done": 2}
    pgqueue.retry(desk.conn, job)
    desk.await_state(job, "dead")
    wait_until(lambda: len(lines_of(tmp_path / "log")) == 4, 10, "four attempts")
    assert lines_of(tmp_path / "log") == ["None", "{'done': 1}", "{'done': 2}", "{'done': 1}"]


def test_it_goes_when_the_job_has_ended_well(db: psycopg.Connection[Any]) -> None:
    done, dead, live = (factories.claim_one(db) for _ in range(3))
    for each in (done, dead, live):
        assert execute(db, progress.checkpoint(each, "1"))
    factories.settle(db, done)
    factories.fail(db, dead, None)
    db.execute("select pgqueue.prune('7 days', '180 days', 1000)")
    assert [place(db, each.id) for each in (done, dead, live)] == [None, 1, 1]
    db.execute("update pgqueue.dead_jobs set died_at = died_at - interval '200 days'")
    db.execute("select pgqueue.prune_below(%(id)s, %(id)s, %(id)s, '7 days', '180 days', 1000)", {"id": NEVER})
    assert [place(db, each.id) for each in (done, dead, live)] == [None, None, 1]


def test_the_checkpoint_of_a_late_attempt_changes_nothing(db: psycopg.Connection[Any]) -> None:
    late = factories.claim_one(db)
    assert execute(db, progress.checkpoint(late, '{"at": 1}'))
    db.execute("update pgqueue.workers set expires_at = now() - interval '1 s' where id = %s", [late.worker])
    db.execute("select pgqueue.reap()")
    assert not execute(db, progress.checkpoint(late, '{"at": 2}'))
    now = factories.claim(db, factories.enlist(db))[0]
    assert not execute(db, progress.checkpoint(late, '{"at": 2}'))
    assert place(db, now.id) == {"at": 1}
    assert execute(db, progress.checkpoint(now, '{"at": 3}'))
    factories.settle(db, now)
    assert not execute(db, progress.checkpoint(now, '{"at": 4}'))


def test_nobody_takes_a_job_whose_checkpoint_is_about_to_commit(db: psycopg.Connection[Any], connect: Connect) -> None:
    mine = factories.claim_one(db)
    conn = connect()
    assert execute(conn, progress.checkpoint(mine, "1"))
    db.execute("update pgqueue.workers set expires_at = now() - interval '1 s' where id = %s", [mine.worker])
    reap = "select pgqueue.reap() from generate_series(1, 3)"
    db.execute(reap)
    assert factories.claim(db, factories.enlist(db)) == []
    conn.commit()
    assert place(db, mine.id) == 1
    db.execute(reap)
    assert [each.claim for each in factories.claim(db, factories.enlist(db))] == [2]


def test_without_a_value_it_is_the_fence_alone(db: psycopg.Connection[Any]) -> None:
    claim = factories.claim_one(db)
    assert execute(db, progress.checkpoint(claim, None))
    assert execute(db, progress.checkpointed(claim.id)) is None
    assert execute(db, progress.checkpoint(claim, "7"))
    assert execute(db, progress.checkpoint(claim, None))
    assert place(db, claim.id) == 7


def test_one_that_comes_too_soon_is_written_when_the_attempt_fails(
    start: StartThreaded, desk: Desk, tmp_path: Path
) -> None:
    start(executor="thread", app=[TASKS], concurrency=1)
    job = desk.send(f"{TASKS}:remember_now_and_then", str(tmp_path / "log"))
    desk.await_state(job, "succeeded")
    assert lines_of(tmp_path / "log") == ["None", "99"]


def test_a_transactional_task_is_told_what_to_write_instead(start: StartThreaded, desk: Desk) -> None:
    start(executor="thread", app=[TASKS], concurrency=1)
    job = desk.send(f"{TASKS}:remember_in_vain")
    desk.await_state(job, "dead")
    assert "yield the value" in desk.errors(job)[0]


def test_what_is_too_large_or_no_json_is_refused() -> None:
    from pgqueue.context import place_of

    with pytest.raises(pgqueue.ArgumentError, match=r"may have 1 MB, got 2\.0 MB"):
        place_of("x" * 2**21)
    with pytest.raises(pgqueue.ArgumentError, match="not JSON"):
        place_of({"rows": object()})


@pytest.mark.parametrize("kind", ONE_KIND)
def test_rows_and_checkpoint_commit_together_whatever_is_killed(
    spawn: StartProcess, desk: Desk, dsn: str, kind: str
) -> None:
    options: dict[str, Any] = {"app": [TASKS], "concurrency": 1, "executor": kind, "lease": 2, "poll": 0.3}
    worker = spawn(**options)
    job = desk.send(f"{TASKS}:write_in_own_transactions", dsn, 60, 0.02)
    wait_until(lambda: desk.one("select count(*) > 20 from effects"), 20, "twenty rows")
    victims = worker.children if kind == "process" else {worker.pid}
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    if kind != "process":
        spawn(**options)
    desk.await_state(job, "succeeded", timeout=30)
    desk.check_effects(range(60))
    assert len(desk.outcomes(job)) == 2


@pytest.mark.faults
def test_an_attempt_that_was_stopped_past_its_lease_commits_no_unit_more(
    spawn: StartProcess, desk: Desk, dsn: str
) -> None:
    options: dict[str, Any] = {"app": [TASKS], "concurrency": 1, "executor": "thread", "lease": 2, "poll": 0.3}
    frozen = spawn(**options)
    job = desk.send(f"{TASKS}:write_in_own_transactions", dsn, 100, 0.03)
    wait_until(lambda: desk.one("select count(*) > 10 from effects"), 20, "ten rows")
    frozen.signal(signal.SIGSTOP)
    spawn(**options)
    # It may hold its job's row in the transaction that was stopped: until that ends nobody takes the job from it.
    desk.conn.execute(
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
        " where application_name = 'pgqueue own' and datname = current_database()"
    )
    wait_until(lambda: desk.job(job).attempt == 2, 30, "the second attempt")
    frozen.signal(signal.SIGCONT)
    frozen.wait()
    desk.await_state(job, "succeeded", timeout=30)
    desk.check_effects(range(100))


# Units.


@pytest.mark.parametrize(
    ("kind", "task"),
    [
        ("process", "count"),
        ("thread", "count"),
        ("async", "count_async"),
        pytest.param("process", "count_async", marks=pytest.mark.faults),
        pytest.param("thread", "count_async", marks=pytest.mark.faults),
        pytest.param("async", "count", marks=pytest.mark.faults),
    ],
)
def test_a_job_that_is_stopped_at_a_yield_goes_on_elsewhere_without_using_an_attempt(
    start: StartThreaded, desk: Desk, kind: str, task: str, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    first = start(executor=kind, app=[TASKS], concurrency=1)
    job = desk.send(f"{TASKS}:{task}", str(log), 30, 0.05)
    wait_until(lambda: len(lines_of(log)) >= 3, 10, "three units")
    assert first.stop() == 0
    assert desk.outcomes(job) == ["released"]
    assert "its worker stops, and it came to a yield" in desk.one("select error from pgqueue.attempts")
    assert desk.job(job).attempt == 0
    done = lines_of(log)
    assert done == [*map(str, range(len(done) - 1)), "left"]
    start(executor=kind, app=[TASKS], concurrency=1)
    desk.await_state(job, "succeeded")
    assert [line for line in lines_of(log) if line != "left"] == [*map(str, range(30))]
    assert desk.outcomes(job) == ["released", "succeeded"]


def test_jobs_take_turns_when_each_has_run_for_so_long(start: StartThreaded, desk: Desk, tmp_path: Path) -> None:
    log = tmp_path / "log"
    start(executor="thread", app=[TASKS], concurrency=1)
    jobs = [desk.send(f"{TASKS}:count_in_turns", str(log), name, 8) for name in "ab"]
    for job in jobs:
        assert desk.await_state(job).state == "succeeded"
    lines = lines_of(log)
    assert [line for line in lines if line[0] == "a"] == [f"a{number}" for number in range(8)]
    assert sorted(lines) == [f"{name}{number}" for name in "ab" for number in range(8)]
    # Neither went through to its end before the other began.
    assert lines.index("b0") < lines.index("a7")
    assert desk.outcomes(jobs[0])[:-1] == ["released"] * (len(desk.outcomes(jobs[0])) - 1)
    assert desk.job(jobs[0]).attempt == 1


def test_a_quiet_worker_gives_up_what_can_be_stopped(start: StartThreaded, desk: Desk, tmp_path: Path) -> None:
    log = tmp_path / "log"
    start(executor="process", app=[TASKS], concurrency=1, lease=3)
    job = desk.send(f"{TASKS}:count", str(log), 1000, 0.02)
    wait_until(lambda: lines_of(log), 10, "a unit")
    desk.conn.execute("select pgqueue.ask(id, 'quiet') from pgqueue.workers")
    desk.await_state(job, "ready", "retrying", "scheduled")
    assert desk.outcomes(job) == ["released"]


@pytest.mark.parametrize("kind", ONE_KIND)
def test_a_cancelled_one_ends_at_its_next_yield(start: StartThreaded, desk: Desk, kind: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    start(executor=kind, app=[TASKS], concurrency=1, lease=3)
    job = desk.send(f"{TASKS}:count", str(log), 1000, 0.02)
    wait_until(lambda: lines_of(log), 10, "a unit")
    pgqueue.cancel(desk.conn, job)
    assert desk.await_state(job).state == "cancelled"
    assert lines_of(log)[-1] == "left"


def test_a_failure_is_retried_from_the_last_yield(start: StartThreaded, desk: Desk, tmp_path: Path) -> None:
    start(executor="process", app=[TASKS], concurrency=1)
    job = desk.send(f"{TASKS}:fail_on_the_way", str(tmp_path / "log"), store_result=True)
    assert desk.await_state(job).state == "succeeded"
    assert lines_of(tmp_path / "log") == ["0", "1", "2", "2", "3"]
    assert pgqueue.result(desk.conn, job) == "all four"


def test_one_that_is_out_of_time_and_comes_to_a_yield_goes_on_later(
    start: StartThreaded, desk: Desk, tmp_path: Path
) -> None:
    start(executor="process", app=[TASKS], concurrency=1)
    job = desk.send(f"{TASKS}:heed_its_time", str(tmp_path / "log"))
    desk.await_state(job)
    # The unit that was interrupted is done again; no other.
    assert sorted(set(lines_of(tmp_path / "log"))) == [*map(str, range(6))]


@pytest.mark.parametrize(
    ("kind", "task"),
    [
        ("process", "write_units"),
        ("process", "write_units_async"),
        ("thread", "write_units"),
        ("async", "write_units_async"),
    ],
)
def test_each_yield_of_a_transactional_task_commits_what_it_wrote(
    start: StartThreaded, desk: Desk, kind: str, task: str
) -> None:
    first = start(executor=kind, app=[TASKS], concurrency=1)
    job = desk.send(f"{TASKS}:{task}", 30, 0.03)
    wait_until(lambda: desk.one("select count(*) > 3 from effects"), 10, "three units")
    assert first.stop() == 0
    assert 3 < desk.one("select count(*) from effects") < 30
    assert desk.one("select value::text::int from pgqueue.checkpoints") == desk.one("select count(*) from effects")
    start(executor=kind, app=[TASKS], concurrency=1)
    assert desk.await_state(job).state == "succeeded"
    desk.check_effects(range(30))
    assert desk.outcomes(job) == ["released", "succeeded"]


def test_a_killed_child_costs_the_unit_that_it_was_at_alone(spawn: StartProcess, desk: Desk) -> None:
    worker = spawn(app=[TASKS], concurrency=1)
    job = desk.send(f"{TASKS}:write_units", 40, 0.02)
    for many in (5, 15, 25):
        wait_until(lambda many=many: desk.one("select count(*) > %s from effects", many), 20, "units")  # type: ignore[misc]
        for pid in worker.children:
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: worker.children, 20, "another child")
    assert desk.await_state(job, timeout=30).state == "succeeded"
    # Three crashes, and not in a row: each attempt came further.
    assert desk.outcomes(job) == [*["crashed"] * 3, "succeeded"]
    desk.check_effects(range(40))


def test_a_transaction_that_the_task_ended_itself_fails_at_the_yield(start: StartThreaded, desk: Desk) -> None:
    start(executor="thread", app=[TASKS], concurrency=1)
    job = desk.send(f"{TASKS}:commit_by_itself")
    desk.await_state(job, "dead")
    assert "committed or rolled back the transaction" in desk.errors(job)[0]
    assert desk.one("select value::text::int from pgqueue.checkpoints") == 1


def test_what_would_wait_for_the_success_of_an_iterable_job_is_refused(start: StartThreaded, desk: Desk) -> None:
    start(executor="thread", app=[TASKS], concurrency=1)
    jobs = [desk.send(f"{TASKS}:bring_with_its_success", at) for at in (None, "once")]
    assert [desk.await_state(job).state for job in jobs] == ["dead", "succeeded"]
    assert "say at='once'" in desk.errors(jobs[0])[0]


def test_being_stopped_at_a_yield_ends_a_row_of_crashes(db: psycopg.Connection[Any]) -> None:
    claim = factories.claim_one(db)
    factories.fail(db, claim, 0.0, outcome="crashed")
    again = factories.claim(db, claim.worker)[0]
    assert again.crashes == 1
    released = """
    select pgqueue.release(
      %s, array[%s]::uuid[], array[%s], array[%s]::float8[], '{t}', '{f}', '{null}', '{null}', '{null}')
    """
    db.execute(released, [again.worker, again.id, again.claim, 0.0])
    same = factories.claim(db, claim.worker)[0]
    assert same.crashes == 1
    db.execute(released, [same.worker, same.id, same.claim, units.BEHIND_OTHERS])
    time.sleep(2 * units.BEHIND_OTHERS)
    assert factories.claim(db, claim.worker)[0].crashes == 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.faults
def test_a_worker_that_is_killed_costs_no_unit_twice(
    spawn: StartProcess, start: StartThreaded, desk: Desk, kind: str
) -> None:
    worker = spawn(app=[TASKS], concurrency=1, executor=kind, lease=2, poll=0.3)
    job = desk.send(f"{TASKS}:write_units", 60, 0.03)
    wait_until(lambda: desk.one("select count(*) > 10 from effects"), 20, "ten units")
    worker.signal(signal.SIGKILL)
    start(executor=kind, app=[TASKS], concurrency=1, lease=2, poll=0.3)
    assert desk.await_state(job, timeout=30).state == "succeeded"
    desk.check_effects(range(60))
    assert desk.outcomes(job) == ["lost", "succeeded"]


@pytest.mark.faults
def test_sigterm_in_the_middle_stops_at_a_yield_well_within_the_shutdown(spawn: StartProcess, desk: Desk) -> None:
    worker = spawn(app=[TASKS], concurrency=1, shutdown_timeout=20)
    desk.send(f"{TASKS}:write_units", 100_000, 0.02)
    wait_until(lambda: desk.one("select count(*) > 10 from effects"), 20, "ten units")
    began = time.monotonic()
    worker.signal(signal.SIGTERM)
    assert worker.wait() == 0
    assert time.monotonic() - began < 5
    assert desk.values("select outcome from pgqueue.attempts") == ["released"]


def test_a_task_is_iterable_if_and_only_if_it_yields() -> None:
    from tests.worker import long_tasks

    with pytest.raises(pgqueue.TargetError, match="or say @task\\(iterable=True\\)"):
        pgqueue.task(long_tasks.count.function)
    with pytest.raises(pgqueue.TargetError, match="yields nothing"):
        pgqueue.task(iterable=True)(long_tasks.tell.function)
    with pytest.raises(pgqueue.OptionError, match="say iterable=True"):
        pgqueue.task(max_run="5m")(long_tasks.tell.function)
    assert long_tasks.count.job("x", 1).target == f"{TASKS}:count"


def test_complete_late_says_so(db: psycopg.Connection[Any]) -> None:
    from pgqueue.context import JobContext

    claim = factories.claim_one(db)
    factories.settle(db, claim)
    job = JobContext(claim, [], {}, None)
    with pytest.raises(LeaseLost, match="its checkpoint was not recorded"):
        job.checkpoint(1, conn=db)
    assert job.late
