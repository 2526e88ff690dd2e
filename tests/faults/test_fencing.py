"""Self-fencing: a worker that cannot renew its lease ends what it runs before others can have it, and knows why."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from pgqueue.events import Trouble
from tests.conftest import Connect
from tests.faults.silence import SilentProxy
from tests.waiting import wait_until
from tests.worker import mishaps
from tests.worker.running import ERRANDS, Desk, StartProcess, StartThreaded, WorkerProcess, await_end, lines_of

pytestmark = pytest.mark.faults

MISHAPS = mishaps.__name__
APPS = [ERRANDS, MISHAPS]
LEASE = 4.0
EVERYBODY = [""]


def shown_by(desk: Desk, *, but: int = 0) -> int | None:
    """A child that has shown a sign of life."""
    found: int | None = desk.one("select pid from signs where pid <> %s limit 1", but)
    return found


def await_anew(worker: WorkerProcess) -> None:
    """Return when it has enlisted a second time."""
    wait_until(lambda: len(worker.heard("worker started")) == 2, 60, "a second enlistment")
    assert worker.process.poll() is None


def test_p6_the_child_is_dead_before_another_worker_has_its_job(
    spawn: StartProcess, desk: Desk, proxy: SilentProxy, proxied: str, dsn: str
) -> None:
    desk.conn.execute("create table signs (pid int, at timestamptz)")
    worker = spawn(proxied, app=APPS, concurrency=1, lease=LEASE)
    job_id = desk.send(f"{MISHAPS}:show_life", dsn, 120.0)
    first = wait_until(lambda: shown_by(desk), 30)
    spawn(app=APPS, concurrency=1, lease=LEASE, poll=0.1)
    proxy.hush(EVERYBODY)
    second = wait_until(lambda: shown_by(desk, but=first), 60, "another child at work")
    # By the database's clock, which gave the job to the other one.
    last_sign = desk.one("select max(at) from signs where pid = %s", first)
    claimed = desk.one("select started_at from pgqueue.jobs where id = %s", job_id)
    assert second != first
    assert last_sign < claimed
    # To this worker it was an outage, no reason to end: it waits, and goes on.
    proxy.speak()
    await_anew(worker)


def test_a_silent_link_is_an_outage_and_ends_no_worker(
    spawn: StartProcess, desk: Desk, proxy: SilentProxy, proxied: str, tmp_path: Path
) -> None:
    worker = spawn(proxied, app=APPS, concurrency=1, lease=LEASE)
    job_id = desk.send("record_pid", str(tmp_path / "pid"), 3.0)
    first = int(wait_until(lambda: lines_of(tmp_path / "pid"), 30)[0])
    proxy.hush(["heartbeat"])
    await_end([first], 30)
    proxy.speak()
    await_anew(worker)
    assert desk.await_state(job_id, timeout=60).state == "succeeded"
    assert not worker.heard("worker stopping")


def test_a_row_that_somebody_locks_is_an_outage_and_ends_no_worker(
    spawn: StartProcess, desk: Desk, connect: Connect
) -> None:
    worker = spawn(app=APPS, executor="thread", lease=LEASE)
    holder = connect()
    holder.execute("select from pgqueue.workers for update")
    await_anew(worker)
    holder.rollback()
    assert desk.await_state(desk.send("work"), timeout=30).state == "succeeded"


@pytest.mark.parametrize("silent", [False, True], ids=["linked", "in the middle of a heartbeat"])
def test_a_worker_that_was_stopped_past_its_lease_retires(
    spawn: StartProcess, desk: Desk, proxy: SilentProxy, proxied: str, tmp_path: Path, silent: bool
) -> None:
    worker = spawn(proxied, app=APPS, concurrency=1, lease=LEASE)
    desk.send("record_pid", str(tmp_path / "pid"), 60.0)
    child = int(wait_until(lambda: lines_of(tmp_path / "pid"), 30)[0])
    if silent:
        proxy.hush(["heartbeat"])
    worker.signal(signal.SIGSTOP)
    wait_until(lambda: desk.one("select expires_at < now() - interval '1 second' from pgqueue.workers"), 30)
    worker.signal(signal.SIGCONT)
    assert worker.wait(30) == 75
    await_end([child])


def test_p5_a_claim_that_is_given_out_twice_is_not_begun_twice(
    start: StartThreaded, desk: Desk, tmp_path: Path
) -> None:
    """As where a server was set back to a copy of its disk: its history has no other name then."""
    flag = tmp_path / "flag"
    worker = start(executor="thread", concurrency=2, poll=0.2)
    made = desk.send("complete_late", desk.conn.info.dsn, str(flag))
    wait_until(flag.exists)
    before = worker.worker.id
    desk.conn.execute("update pgqueue.jobs set worker = null, started_at = null, claim = 0, attempt = 0")
    wait_until(lambda: worker.worker.id != before)
    assert any("a claim that is held here" in trouble.error for trouble in worker.heard(Trouble))
    wait_until(lambda: flag.unlink(missing_ok=True) or desk.job(made).state == "succeeded", 20)
    assert desk.values("select value from effects") == [1]
    assert worker.stop() == 0
