"""Two apps on one database and one queue, and a deploy that rolls: nobody's attempts are spent by a stranger."""

from __future__ import annotations

import pytest

from pgqueue.events import AttemptsFinished, Trouble
from pgqueue.job import NewJob
from pgqueue.outcome import Move
from tests.waiting import wait_until
from tests.worker.running import ERRANDS, NEVER, TWO_KINDS, Desk, StartProcess, StartThreaded

FOREIGN = "tests.worker.foreign"


def parked(desk: Desk) -> int:
    return int(desk.one("select count(*) from pgqueue.parked"))


@pytest.mark.parametrize("executor", TWO_KINDS)
def test_a_job_waits_for_a_worker_that_knows_it_and_then_runs_at_once(
    desk: Desk, start: StartThreaded, spawn: StartProcess, executor: str
) -> None:
    stranger = start(executor=executor, concurrency=1)
    job_id = desk.send(f"{FOREIGN}:hello", "you", max_attempts=1)
    wait_until(lambda: parked(desk) == 1)
    # The worker has read the answer a moment after the database has it.
    wait_until(lambda: stranger.heard(AttemptsFinished))
    (given,) = [done.settlement for told in stranger.heard(AttemptsFinished) for done in told.batch]
    assert (given.move, given.started) == (Move.PARK, False)
    assert f"no task {FOREIGN}:hello here" in (given.error or "")
    # No poll of its own explains that it runs soon.
    spawn(app=[FOREIGN], executor=executor, poll=NEVER)
    job = desk.await_state(job_id)
    assert (job.state, job.attempt) == ("succeeded", 1)


def test_beside_a_worker_that_knows_them_a_stranger_passes_jobs_by(
    desk: Desk, start: StartThreaded, spawn: StartProcess
) -> None:
    spawn(app=[FOREIGN], executor="thread")
    stranger = start(executor="thread")
    theirs = [NewJob(f"{FOREIGN}:{name}", ["you"], max_attempts=1) for name in ("hello", "plain")]
    jobs = desk.send_many([*theirs, NewJob(f"{ERRANDS}:work")] * 200)
    assert {desk.await_state(job_id, timeout=30).state for job_id in jobs} == {"succeeded"}
    assert desk.one("select count(*) from pgqueue.attempts where outcome <> 'succeeded'") == 0
    # At most one batch of each target came to it before it knew.
    moves = [done.settlement.move for told in stranger.heard(AttemptsFinished) for done in told.batch]
    assert moves.count(Move.PARK) <= 300


def test_plain_functions_that_were_parked_are_known_by_name(
    desk: Desk, start: StartThreaded, spawn: StartProcess
) -> None:
    start(executor="thread")
    jobs = desk.send_many([NewJob(f"{FOREIGN}:plain", ["you"], max_attempts=1) for _ in range(20)])
    wait_until(lambda: parked(desk) == 20)
    spawn(app=[FOREIGN], executor="process", poll=0.5)
    assert {desk.await_state(job_id, timeout=20).state for job_id in jobs} == {"succeeded"}


def test_a_burst_runs_what_waits_for_it(desk: Desk, start: StartThreaded, spawn: StartProcess) -> None:
    stranger = start(executor="thread")
    jobs = desk.send_many([NewJob(f"{FOREIGN}:hello", ["you"]) for _ in range(1_500)])
    wait_until(lambda: parked(desk) == 1_500, 30)
    stranger.stop()
    assert spawn(app=[FOREIGN], executor="thread", burst=True).wait() == 0
    assert {desk.job(job_id).state for job_id in (jobs[0], jobs[-1])} == {"succeeded"}


def test_a_job_that_nobody_knows_is_dead_after_the_stated_time(desk: Desk, start: StartThreaded) -> None:
    start(executor="thread", keep_unknown=1.0, poll=0.2)
    job = desk.await_state(desk.send(f"{FOREIGN}:gone", max_attempts=1))
    assert (job.state, job.reason, job.attempt) == ("dead", "unregistered", 0)
    assert f"no task {FOREIGN}:gone here" in (job.last_error or "")


def test_idle_with_jobs_of_others_due_is_no_reason_to_retire(
    desk: Desk, start: StartThreaded, spawn: StartProcess
) -> None:
    knows = spawn(app=[FOREIGN], executor="thread", poll=0.2)
    stranger = start(executor="thread", poll=0.2, lease=1.5)
    desk.send(f"{FOREIGN}:hello", "you")
    wait_until(lambda: desk.one("select count(*) from pgqueue.attempts") == 1)
    desk.one(f"select pgqueue.ask((select id from pgqueue.workers where pid = {knows.pid}), 'quiet')")
    wait_until(lambda: knows.heard("order heard"))
    desk.send(f"{FOREIGN}:hello", "you")
    wait_until(lambda: desk.one("select count(*) from pgqueue.workers where passed is not null") == 1)
    # The watchdog looks every half second, and twice is enough for it.
    own = [desk.send("work") for _ in range(3)]
    assert all(desk.await_state(job_id).state == "succeeded" for job_id in own)
    assert not stranger.heard(Trouble)
