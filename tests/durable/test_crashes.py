"""SIGKILL at every step of a saga: what it did in the database stands once, and is undone once."""

from __future__ import annotations

from pathlib import Path

import pgqueue
from tests.durable.conftest import done, lines
from tests.durable.tasks import SAGA_POINTS
from tests.worker.running import Desk, StartProcess

TASKS = "tests.durable.tasks"


def test_a_saga_survives_a_kill_at_each_of_its_steps(spawn: StartProcess, desk: Desk, tmp_path: Path) -> None:
    folder = tmp_path / "saga"
    folder.mkdir()
    jobs = {point: desk.send(f"{TASKS}:saga", str(folder), point) for point in SAGA_POINTS}
    spawn(app=[TASKS], executor="process", concurrency=2)
    desk.await_all_ended(60)
    assert {path.name for path in folder.glob("killed-*")} == {f"killed-{point}" for point in SAGA_POINTS[1:]}
    expected = [
        f"{point}: {what}" for point in SAGA_POINTS for what in ("flight", "hotel", "undone hotel", "undone flight")
    ]
    assert sorted(done(desk.conn)) == sorted(expected)
    for point, job in jobs.items():
        assert desk.job(job).state == "dead", point
        crashes = desk.values("select outcome from pgqueue.attempts where outcome in ('crashed', 'lost')")
        assert len(crashes) == len(SAGA_POINTS) - 1
    # Outside of the database: once more where it was killed before its memo.
    paid = lines(f"{folder}/paid")
    assert sorted(paid) == sorted([*SAGA_POINTS, "in pay"])
    assert desk.one("select count(*) from pgqueue.lineage where how = 'child'") == len(SAGA_POINTS)
    assert desk.one("select count(*) from pgqueue.lineage where how = 'rollback'") == len(SAGA_POINTS)
    order = [text for text in done(desk.conn) if text.startswith("nowhere: ")]
    assert order == [f"nowhere: {what}" for what in ("flight", "hotel", "undone hotel", "undone flight")]


def test_a_whole_worker_that_is_killed_loses_no_sleeper(spawn: StartProcess, desk: Desk, log: Path) -> None:
    first = spawn(app=[TASKS], executor="thread", concurrency=2, lease=2)
    sleeper = desk.send(f"{TASKS}:sleepy", str(log), 1.0)
    waiter = desk.send(f"{TASKS}:patient")
    desk.await_state(sleeper, "scheduled")
    desk.await_state(waiter, "scheduled")
    first.close()
    assert pgqueue.signal(desk.conn, waiter, "approval", "yes")
    spawn(app=[TASKS], executor="thread", concurrency=2, lease=2)
    assert desk.await_state(sleeper, timeout=20).state == "succeeded"
    assert desk.await_state(waiter, timeout=20).state == "succeeded"
    assert lines(str(log)) == ["before", "after"]
