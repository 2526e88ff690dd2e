"""Bulk actions: each job touched once, whatever moves, whoever drives, and whatever is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest

from pgqueue import operations
from pgqueue.errors import OptionError, UsageError
from pgqueue.job import JobState
from pgqueue.operations import Plan
from pgqueue.store import execute, jobs
from pgqueue.store import operations as store
from pgqueue.worker.upkeep.operator import drive_operations
from tests.conftest import Connect
from tests.factories import TARGET, Conn, claim, claim_one, count, enlist, enqueue, fail, fill, make, settle, state
from tests.postgres import ROOT
from tests.waiting import wait_until


def plan(kind: str, text: str = f"task:{TARGET}", **more: Any) -> Plan:
    return Plan(kind=kind, filter=text, made_at=datetime.now(UTC), who="ann", via="test", **more)


def done(db: Conn, number: int, **options: Any) -> store.Operation:
    """The operation, driven as far as it goes without waiting for anybody."""
    while (pause := operations.step(db, number, **options).pause) is not None and pause < 0.5:
        pass
    found = operations.get(db, number)
    assert found is not None
    return found


def dead(db: Conn, number: int) -> list[UUID]:
    ids = fill(db, number)
    worker = enlist(db, concurrency=number)
    for each in claim(db, worker, number):
        fail(db, each, None)
    return ids


KINDS = {
    "cancel": ({"scheduled", "ready", "retrying", "running", "manual", "waiting"}, {"cancelled", "running"}),
    "retry": ({"dead", "retrying", "scheduled", "manual"}, {"ready"}),
    "bury": ({"scheduled", "ready", "retrying"}, {"dead"}),
    "purge": ({"dead"}, {None}),
    "priority": ({"scheduled", "ready", "retrying"}, {"scheduled", "ready", "retrying"}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_bulk_action_moves_the_jobs_of_its_states_and_no_others(db: Conn, kind: str) -> None:
    made = {str(each): make(db, each) for each in JobState if each is not JobState.READY}
    made["ready"] = make(db, JobState.READY)
    before = {name: state(db, job_id) for name, job_id in made.items()}
    level = 9 if kind == "priority" else None
    ended = done(db, operations.begin(db, plan(kind, priority=level, reason="moving house")))
    meant, becomes = KINDS[kind]
    assert (ended.state, ended.done, ended.skipped, ended.failed) == ("done", len(meant), 0, 0)
    for name, job_id in made.items():
        if name in meant:
            assert state(db, job_id) in becomes, name
        else:
            assert state(db, job_id) == before[name], name
    if kind == "priority":
        levels = db.execute("select priority, count(*) from pgqueue.jobs group by 1 order by 1").fetchall()
        assert levels == [(5, 2), (9, 3)]
    if kind == "bury":
        found = db.execute("select reason, error from pgqueue.dead_jobs where reason = 'buried'").fetchall()
        assert found == [("buried", "moving house")] * 3


def test_an_action_is_in_the_audit_with_who_and_why(db: Conn) -> None:
    operations.begin(db, plan("cancel", "queue:mail", reason="gone"))
    found = db.execute("select who, via, action, filter, reason from pgqueue.audit").fetchall()
    assert found == [("ann", "test", "operation 1: cancel", "queue:mail", "gone")]


def test_its_end_is_in_the_audit_with_how_many_jobs_it_moved(db: Conn) -> None:
    fill(db, 3)
    done(db, operations.begin(db, plan("cancel")))
    found = db.execute("select who, action, n from pgqueue.audit order by id").fetchall()
    assert found == [("ann", "operation 1: cancel", None), ("ann", "operation 1: done", 3)]


def test_jobs_that_come_later_are_not_meant(db: Conn) -> None:
    number = operations.begin(db, plan("cancel"))
    later = enqueue(db, job_id=UUID(int=2**127 | 7 << 76))
    assert done(db, number).done == 0
    assert state(db, later) == "ready"


def test_a_preview_says_what_would_be_done_and_what_is_left_out(db: Conn) -> None:
    made = [make(db, each) for each in (JobState.DEAD, JobState.SUCCEEDED, JobState.CANCELLED)]
    taken = claim_one(db, unique_key="taken")
    fail(db, taken, None)
    enqueue(db, unique_key="taken")
    seen = operations.preview(db, plan("retry", "state:dead,succeeded,cancelled"))
    assert seen is not None
    assert (seen.states, seen.left, seen.kept, seen.whole) == ({"dead": 2}, {"succeeded": 1, "cancelled": 1}, 1, True)
    assert seen.samples == [taken.id, made[0]]
    ended = done(db, operations.begin(db, plan("retry", "state:dead")))
    assert (ended.done, ended.skipped) == (1, 1)


def test_a_batch_is_undone_as_a_whole_and_its_cursor_with_it(db: Conn) -> None:
    dead(db, 7)
    number = operations.begin(db, plan("purge"))
    lines: list[str] = []

    def disk_full(more: Any) -> None:
        lines.extend(more)
        if len(lines) > 3:
            raise OSError("no space left")

    assert operations.step(db, number, lines.extend, 3).pause == 0
    with pytest.raises(OSError, match="no space"):
        operations.step(db, number, disk_full, 3)
    assert count(db, "dead_jobs") == 4
    found = operations.get(db, number)
    assert found is not None
    assert (found.done, found.state) == (3, "running")
    assert done(db, number, export=lines.extend).done == 7
    assert len({line.partition('"id":')[2][:38] for line in lines}) == 7


def test_a_rate_is_kept_by_the_clock_of_the_database(db: Conn) -> None:
    fill(db, 25)
    number = operations.begin(db, plan("cancel", rate=10))
    assert operations.step(db, number).pause == 1.0
    pause = operations.step(db, number).pause
    assert pause is not None
    assert 0 < pause <= 1
    db.execute("update pgqueue.operations set next_at = now()")
    operations.step(db, number)
    assert count(db, "jobs") == 5
    row = db.execute("select next_at - changed_at > '0.9 s' from pgqueue.operations").fetchone()
    assert row == (True,)


def test_a_stop_lets_the_batch_under_way_be_the_last(db: Conn) -> None:
    fill(db, 9)
    number = operations.begin(db, plan("cancel"))
    operations.step(db, number, most=3)
    assert execute(db, store.stop(number, "enough"))
    assert operations.step(db, number, most=3).pause is None
    assert count(db, "jobs") == 6
    assert execute(db, store.resume(number, detached=False))
    assert done(db, number).done == 9


def test_a_job_that_moved_or_is_in_hand_is_left(db: Conn, connect: Connect) -> None:
    first, second, third = fill(db, 3)
    other = connect()
    other.execute("select from pgqueue.jobs where id = %s for update", [second])
    query = operations.asked("bury", "", datetime.now(UTC))
    assert query.conditions
    execute(db, jobs.cancel(first))
    became = execute(db, store.operate([first, second, third], "bury", ["ready"], None, None))
    assert became == {first: "skipped", second: "skipped", third: "done"}
    other.rollback()
    assert state(db, second) == "ready"


def test_two_that_drive_one_action_touch_each_job_once(db: Conn, connect: Connect) -> None:
    ids = dead(db, 60)
    number = operations.begin(db, plan("retry", "state:dead"))
    others = [connect(autocommit=True) for _ in range(3)]

    def drive(conn: Conn) -> None:
        while operations.step(conn, number, most=4).pause is not None:
            pass

    threads = [threading.Thread(target=drive, args=[conn]) for conn in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    found = operations.get(db, number)
    assert found is not None
    assert (found.done, found.skipped, found.state) == (len(ids), 0, "done")


def test_a_trial_that_fails_stops_the_rest(db: Conn) -> None:
    dead(db, 6)
    number = operations.begin(db, plan("retry", "state:dead", trial=2))
    assert done(db, number).state == "running"
    worker = enlist(db, concurrency=2)
    for each in claim(db, worker, 2):
        fail(db, each, None)
    db.execute("update pgqueue.operations set next_at = now()")
    found = done(db, number)
    assert (found.state, found.why, found.done) == ("stopped", "2 of the first 2 failed again", 2)
    assert count(db, "dead_jobs") == 6


@pytest.mark.parametrize("number_of_jobs", [6, 2])
def test_a_trial_that_goes_well_lets_the_rest_follow(db: Conn, number_of_jobs: int) -> None:
    dead(db, number_of_jobs)
    number = operations.begin(db, plan("retry", "state:dead", trial=2, most_failing=0.4))
    assert done(db, number).done == 2
    worker = enlist(db, concurrency=2)
    settle(db, *claim(db, worker, 2))
    db.execute("update pgqueue.operations set next_at = now()")
    found = done(db, number)
    assert (found.state, found.done) == ("done", number_of_jobs)


def test_workers_drive_what_was_left_to_them_alone(db: Conn) -> None:
    fill(db, 5)
    mine = operations.begin(db, plan("cancel", "priority>9"))
    theirs = operations.begin(db, plan("cancel", detached=True))
    drive_operations(db)
    states = {number: found.state for number in (mine, theirs) if (found := operations.get(db, number))}
    assert states == {mine: "running", theirs: "done"}
    assert count(db, "jobs") == 0


def test_a_row_that_says_nothing_that_can_be_done_stops_and_stops_nobody_else(db: Conn) -> None:
    fill(db, 2)
    spoilt = operations.begin(db, plan("cancel", detached=True))
    db.execute("update pgqueue.operations set filter = 'nonsense'")
    operations.begin(db, plan("cancel", detached=True))
    drive_operations(db)
    found = operations.get(db, spoilt)
    assert found is not None
    assert (found.state, count(db, "jobs")) == ("stopped", 0)


def test_what_cannot_be_an_operation_is_refused(db: Conn) -> None:
    for wrong in ({"rate": 0.0}, {"trial": 5}, {"kind": "dance"}):
        with pytest.raises(OptionError):
            replace(plan("cancel"), **wrong)  # type: ignore[arg-type]
    with pytest.raises(UsageError):
        operations.begin(db, plan("cancel", "nonsense"))
    assert count(db, "operations") == count(db, "audit") == 0


DRIVER = """
import sys, psycopg
from pgqueue import operations
conn = psycopg.connect(sys.argv[1], autocommit=True)
while operations.step(conn, int(sys.argv[2]), most=5).pause is not None:
    pass
"""


def kill_and_go_on(db: Conn, dsn: str, number: int, kills: int) -> None:
    """Drive an action in processes, each killed once it has committed a batch; then to its end."""
    for _ in range(kills):
        found = operations.get(db, number)
        assert found is not None
        before = found.done
        process = subprocess.Popen([sys.executable, "-c", DRIVER, dsn, str(number)], cwd=ROOT)
        try:
            wait_until(lambda before=before: _moved(db, number, before), 60)
        finally:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
    # The server ends what the killed one had begun only when it finds it gone: until then it has the action in hand.
    wait_until(lambda: done(db, number).state != "running", 60)


def _moved(db: Conn, number: int, before: int) -> bool:
    found = operations.get(db, number)
    return found is not None and (found.done > before or found.state == "done")


@pytest.mark.parametrize("kind", ["retry", "cancel"])
def test_each_job_is_touched_once_though_its_driver_is_killed(db: Conn, dsn: str, kind: str) -> None:
    ids = dead(db, 400) if kind == "retry" else fill(db, 400)
    number = operations.begin(db, plan(kind, "state:dead" if kind == "retry" else ""))
    kill_and_go_on(db, dsn, number, 1)
    found = operations.get(db, number)
    assert found is not None
    # Counted with the batch: one that was done twice would be there as skipped, or count twice.
    assert (found.state, found.done, found.skipped) == ("done", len(ids), 0)


@pytest.mark.faults
def test_each_job_is_touched_once_however_often_its_driver_is_killed(db: Conn, dsn: str) -> None:
    ids = dead(db, 3000)
    number = operations.begin(db, plan("retry", "state:dead"))
    kill_and_go_on(db, dsn, number, 12)
    found = operations.get(db, number)
    assert found is not None
    assert (found.state, found.done, found.skipped) == ("done", len(ids), 0)


def test_a_transaction_that_dies_between_act_and_commit_has_done_nothing(db: Conn, connect: Connect) -> None:
    dead(db, 5)
    number = operations.begin(db, plan("purge"))
    victim = connect(autocommit=True)

    def killed(_lines: Any) -> None:
        db.execute("select pg_terminate_backend(%s)", [victim.info.backend_pid])

    with pytest.raises(psycopg.OperationalError):
        operations.step(victim, number, killed)
    found = operations.get(db, number)
    assert found is not None
    assert (found.done, count(db, "dead_jobs")) == (0, 5)
    assert done(db, number).done == 5


def test_a_job_that_was_edited_keeps_what_it_was(db: Conn) -> None:
    for made in (enqueue(db, [1]), dead(db, 1)[0]):
        before = state(db, made)
        assert execute(db, store.edit_args(made, '{"a": 2}', "ann")) == before
    revised = db.execute("select who, old_args from pgqueue.revisions order by job_id").fetchall()
    assert [who for who, _ in revised] == ["ann", "ann"]
    running = claim_one(db, priority=9).id
    assert execute(db, store.edit_args(running, "[]", "ann")) == "running"
    assert count(db, "revisions") == 2


def test_what_was_done_by_hand_is_pruned_with_the_dead(db: Conn) -> None:
    for number in range(2):
        operations.begin(db, plan("cancel", f"queue:q{number}"))
        execute(db, store.edit_args(enqueue(db), "[]", "ann"))
    done(db, 1)
    done(db, 2)
    for table, column in (("audit", "at"), ("operations", "changed_at"), ("revisions", "at")):
        db.execute(
            f"update pgqueue.{table} set {column} = now() - interval '181 days' where ctid ="
            f" (select ctid from pgqueue.{table} limit 1)"
        )
    db.execute("select pgqueue.prune('7 days', '180 days')")
    # Two began, and ended.
    assert [count(db, table) for table in ("audit", "operations", "revisions")] == [3, 1, 1]
