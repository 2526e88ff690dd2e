"""Workers that are killed in the middle of workflows: what follows a group begins once, behind its last member."""

from __future__ import annotations

import random
import signal
import time

import pytest

import pgqueue
from tests.conftest import Connect
from tests.waiting import wait_until
from tests.worker.conftest import spawn  # noqa: F401  # a fixture
from tests.worker.running import StartProcess, WorkerProcess
from tests.workflows.shop_tasks import add, grow, note, total

CHORDS, MEMBERS, KILLS = 6, 40, 5
# A callback that began before a member of its workflow had succeeded, or has not succeeded exactly once.
WRONG = """
select w.id from pgqueue.workflows as w
where 1 <> (select count(*) from pgqueue.attempts as a where a.workflow_id = w.id and a.labels ->> 'is' = 'then'
            and a.outcome = 'succeeded')
   or exists (
     select from pgqueue.attempts as behind
     join pgqueue.attempts as member on member.workflow_id = w.id and member.outcome = 'succeeded'
       and member.labels ->> 'is' = 'member'
     where behind.workflow_id = w.id and behind.labels ->> 'is' = 'then' and behind.started_at < member.finished_at)
"""


@pytest.mark.faults
@pytest.mark.parametrize("executor", ["process", "thread"])
def test_callbacks_come_once_whatever_is_killed(
    dsn: str,
    connect: Connect,
    spawn: StartProcess,  # noqa: F811
    executor: str,
) -> None:
    conn = connect(autocommit=True)
    options = {"max_attempts": 26, "labels": {"is": "member"}}
    member, adder = add.using(**options), grow.using(**options)  # type: ignore[arg-type]  # as they are
    for _ in range(CHORDS):
        flow = pgqueue.Workflow("killed")
        many = flow.add(pgqueue.group([*(member.job(n, 1) for n in range(MEMBERS)), adder.job([1, 2, 3])]))
        flow.add(total.using(max_attempts=26, labels={"is": "then"}).job(many.result))
        flow.on_end(note.using(max_attempts=26), "end")
        flow.enqueue(conn)

    def begin() -> WorkerProcess:
        return spawn(app=["tests.workflows.shop_tasks"], executor=executor, lease=2, poll=0.2)

    workers = [begin() for _ in range(2)]
    dice = random.Random(executor)
    for _ in range(KILLS):
        time.sleep(dice.uniform(0.05, 0.4))
        killed = workers.pop(0)
        killed.signal(signal.SIGKILL)
        killed.wait()
        workers.append(begin())
    left = "select (select count(*) from pgqueue.jobs) + (select count(*) from pgqueue.waiting)"
    wait_until(lambda: conn.execute(left).fetchone() == (0,), 60, "the end of all workflows")
    assert conn.execute(WRONG).fetchall() == []
    dead = conn.execute("select target, reason, error from pgqueue.dead_jobs").fetchall()
    assert dead == []
    assert {row.state for row in pgqueue.list_workflows(conn)} == {"succeeded"}
    ends = "select count(*) from pgqueue.attempts where outcome = 'succeeded' and target like '%:note'"
    assert conn.execute(ends).fetchone() == (CHORDS,)
    deadlocks = "select deadlocks from pg_stat_database where datname = current_database()"
    assert conn.execute(deadlocks).fetchone() == (0,)
