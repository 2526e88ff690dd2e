"""How an idle worker hears of work. Its poll is a minute, so that only a notification can explain what comes sooner."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from datetime import timedelta

import pytest

from pgqueue import self_test
from pgqueue.client import enqueue
from pgqueue.events import DatabaseBack, DatabaseLost, Trouble
from pgqueue.limits import set_limit
from pgqueue.store import wakeups
from pgqueue.worker.claiming import pace
from pgqueue.worker.claiming.claimer import Claimer
from tests.conftest import Connect
from tests.waiting import wait_until
from tests.worker.errands import work
from tests.worker.running import NEVER, Desk, StartThreaded

SOON = 2.0


@pytest.fixture(params=[None, ["default", "mail"]], ids=["all queues", "named queues"])
def queues(request: pytest.FixtureRequest) -> Iterator[list[str] | None]:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def no_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker does not look again by itself when it falls idle."""
    monkeypatch.setattr(pace, "FIRST_PROBE", NEVER)


@pytest.mark.usefixtures("no_probes")
def test_an_idle_worker_is_told(start: StartThreaded, desk: Desk, queues: list[str] | None) -> None:
    start(executor="thread", poll=NEVER, queues=queues)
    desk.await_idle()
    for _ in range(3):
        desk.await_state(desk.send("work"), timeout=SOON)
    desk.await_state(desk.send("work", queue="mail"), timeout=SOON)


@pytest.mark.usefixtures("no_probes")
def test_the_first_job_of_all_is_found_however_the_worker_falls_idle(start: StartThreaded, desk: Desk) -> None:
    for _ in range(5):
        worker = start(executor="thread", poll=NEVER)
        # At once: before, while or after it shows that it is hungry.
        desk.await_state(desk.send("work"), timeout=SOON)
        worker.stop()
        desk.conn.execute("truncate pgqueue.attempts")


def test_a_worker_of_other_queues_does_nothing(start: StartThreaded, desk: Desk) -> None:
    start(executor="thread", poll=0.05, queues=["mail"])
    other = desk.send("work")
    desk.await_state(desk.send("work", queue="mail"), timeout=SOON)
    assert desk.job(other).state == "ready"


@pytest.mark.usefixtures("no_probes")
def test_a_new_queue_is_heard_of(start: StartThreaded, desk: Desk) -> None:
    start(executor="thread", poll=NEVER)
    desk.await_state(desk.send("work"), timeout=SOON)
    desk.await_idle()
    desk.await_state(desk.send("work", queue="never seen before"), timeout=SOON)


def test_what_commits_after_the_worker_fell_idle_is_found_by_the_probes(
    start: StartThreaded, desk: Desk, connect: Connect, queues: list[str] | None
) -> None:
    with connect() as open_transaction:
        job = enqueue(open_transaction, work)
        # Nobody was idle when this transaction asked; from here on it notifies nobody.
        start(executor="thread", poll=NEVER, queues=queues)
        desk.await_idle()
    desk.await_state(job.id, timeout=SOON)


def test_a_lost_notification_costs_at_most_one_poll(
    start: StartThreaded, desk: Desk, connect: Connect, queues: list[str] | None
) -> None:
    start(executor="thread", poll=1.0, queues=queues)
    desk.await_idle()
    desk.conn.execute("set pgqueue.notify = off")
    for queue in ("default", "mail"):
        began = time.monotonic()
        desk.await_state(desk.send("work", queue=queue), timeout=3)
        assert time.monotonic() - began < 1.0 + 0.3


@pytest.mark.usefixtures("no_probes")
def test_a_job_that_falls_due_while_the_worker_is_idle_starts_when_due(start: StartThreaded, desk: Desk) -> None:
    start(executor="thread", poll=NEVER)
    desk.await_idle()
    job_id = desk.send("work", delay=1.5)
    job = desk.await_state(job_id, timeout=5)
    assert job.started_at is not None
    assert job.run_at is not None
    assert timedelta(0) <= job.started_at - job.run_at < timedelta(seconds=0.5)


def test_a_job_scheduled_before_the_worker_began_starts_when_due(start: StartThreaded, desk: Desk) -> None:
    job_id = desk.send("work", delay=2)
    start(executor="thread", poll=NEVER)
    job = desk.await_state(job_id, timeout=5)
    assert job.started_at is not None
    assert job.run_at is not None
    assert timedelta(0) <= job.started_at - job.run_at < timedelta(seconds=0.5)


def test_a_paused_queue_rests_until_it_is_resumed(start: StartThreaded, desk: Desk) -> None:
    desk.conn.execute("insert into pgqueue.queues (name, paused) values ('mail', true)")
    start(executor="thread", poll=0.2)
    paused = desk.send("work", queue="mail")
    desk.await_state(desk.send("work"), timeout=SOON)
    assert desk.job(paused).state == "ready"
    desk.conn.execute("update pgqueue.queues set paused = false")
    desk.await_state(paused, timeout=SOON)


@pytest.mark.usefixtures("no_probes")
def test_a_listener_whose_connection_ended_listens_again(start: StartThreaded, desk: Desk) -> None:
    worker = start(executor="thread", poll=NEVER)
    desk.await_idle()
    for pid in desk.backends("listener"):
        desk.one("select pg_terminate_backend(%s)", pid)
    wait_until(lambda: worker.heard(DatabaseBack))
    desk.await_idle()
    desk.await_state(desk.send("work"), timeout=SOON)


@pytest.mark.parametrize("queues", [None, ["default", "mail"]])
def test_whoever_has_the_lock_of_the_hungry_for_a_while_keeps_nobody_from_being_heard_of(
    start: StartThreaded, desk: Desk, connect: Connect, queues: list[str] | None
) -> None:
    locker = connect()
    locker.execute("select pg_advisory_lock(7702, 0), pg_advisory_lock(7701, hashtext('default'))")
    worker = start(executor="thread", poll=NEVER, queues=queues)
    desk.await_state(desk.send("work"), timeout=SOON)
    locker.execute("select pg_advisory_unlock_all()")
    held = "select count(*) from pg_locks where locktype = 'advisory' and mode = 'ShareLock' and granted"
    wait_until(lambda: desk.one(held) >= (1 if queues is None else 2))
    desk.await_state(desk.send("work"), timeout=SOON)
    assert worker.stop() == 0


def test_the_self_test_is_heard(start: StartThreaded, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(self_test, "SELF_TEST_EVERY", 0.05)
    monkeypatch.setattr(self_test, "SELF_TEST_DEADLINE", 0.5)
    worker = start(executor="thread", poll=NEVER)
    desk.await_idle()
    query = "select query from pg_stat_activity where application_name = 'pgqueue listener'"
    wait_until(lambda: "pg_notify" in desk.one(query))
    began = time.monotonic()
    while time.monotonic() < began + 1.5:
        desk.await_state(desk.send("work"), timeout=SOON)
    assert not worker.heard(DatabaseLost)
    assert not worker.heard(Trouble)


def test_a_listener_that_hears_nothing_of_its_own_listens_anew(
    start: StartThreaded, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pooler hands out another session: LISTEN seems to work, and nothing arrives."""
    monkeypatch.setattr(self_test, "SELF_TEST_EVERY", 0.2)
    monkeypatch.setattr(self_test, "SELF_TEST_DEADLINE", 0.2)
    listen = wakeups.listen
    deaf = [True]
    monkeypatch.setattr(wakeups, "listen", lambda channel: listen("elsewhere" if deaf[0] else channel))
    worker = start(executor="thread", poll=NEVER)
    wait_until(lambda: worker.heard(DatabaseLost))
    assert "listening does not work" in worker.heard(DatabaseLost)[0].error
    deaf[0] = False
    # The outage is over with the first connection that hears itself.
    desk.await_state(desk.send("work"), timeout=SOON)


@pytest.mark.usefixtures("no_probes")
def test_a_share_that_comes_back_wakes_others_and_not_the_worker_that_had_it(
    start: StartThreaded, desk: Desk, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[Collection[str] | None] = []
    hear = Claimer.hear
    monkeypatch.setattr(Claimer, "hear", lambda self, names: heard.append(names) or hear(self, names))
    others = connect(autocommit=True)
    others.execute("listen pgqueue")
    set_limit(desk.conn, "key", "lane", concurrency=1)
    for _ in range(3):
        desk.send("work", 0.3, limit_key="lane")
    list(others.notifies(timeout=0.1))
    start(executor="thread", poll=NEVER)
    desk.await_all_ended()
    assert [each.payload for each in others.notifies(timeout=0.2)][:2] == ["default", "default"]
    assert [names for names in heard if names is not None] == []


def test_a_busy_worker_is_not_notified(start: StartThreaded, desk: Desk, connect: Connect) -> None:
    hearing = connect(autocommit=True)
    hearing.execute("listen pgqueue")
    start(executor="thread", poll=NEVER, concurrency=1)
    desk.await_idle()
    for _ in range(3):
        desk.send("work", 0.5)
    wait_until(lambda: desk.one("select count(*) = 0 from pg_locks where locktype = 'advisory' and classid = 7702"))
    list(hearing.notifies(timeout=0.1))
    desk.send("work")
    assert list(hearing.notifies(timeout=0.2)) == []
    desk.await_all_ended()
