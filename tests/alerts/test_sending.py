"""From what goes wrong to who is told, with real workers: once, by the same id again, and no loop about itself."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

import pgqueue
from pgqueue.store import alert_settings, alerts, execute
from tests.alerts.receiving import Hook, Mailbox, Taken
from tests.alerts.scenes import CAUSE, M, alert, channel, died, jobs, looks, now, told
from tests.factories import Conn
from tests.waiting import wait_until
from tests.worker.running import ThreadedWorker, WorkerProcess

KEY = f"dead:{CAUSE}"
TASKS = "tests.alerts.tasks"
SECRET = "hush-7f3a91"


@pytest.fixture(autouse=True)
def allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGQUEUE_ALERT_ALLOW_PRIVATE", "127.0.0.0/8")


@pytest.fixture
def worker(shared: str, db: Conn) -> Iterator[ThreadedWorker]:
    worker = ThreadedWorker(shared, executor="thread", concurrency=2, poll=0.2, app=[TASKS])
    yield worker
    worker.stop()


def spawned(shared: str, log: Path, **options: Any) -> WorkerProcess:
    return WorkerProcess(shared, log, app=[TASKS], poll=0.2, **options).await_start()


def opened(db: Conn, hook: Hook) -> None:
    """A message that is to be sent."""
    channel(db, url=hook.url)
    died(db)
    begin = now()
    looks(db, begin, begin + M)
    assert told(db) == [(KEY, "opened")]


def sent(db: Conn, key: str = KEY) -> bool:
    return any(row.sent_at is not None for row in execute(db, alerts.messages(key, 9)))


def hurry(db: Conn) -> None:
    """Let what is to be tried again be due."""
    db.execute("update pgqueue.jobs set run_at = now() where target = 'pgqueue.alerts:send' and worker is null")


def test_a_worker_sends_without_being_told_of_an_app(db: Conn, hook: Hook, worker: ThreadedWorker) -> None:
    opened(db, hook)
    wait_until(lambda: sent(db) and jobs(db) == 0)
    (got,) = hook.taken
    assert got.json["key"] == KEY
    found = alert(db, KEY)
    assert found is not None
    assert (found.last_sent_at is not None, found.unsent) == (True, 0)


def test_a_channel_that_fails_is_tried_again_and_is_no_alert(db: Conn, hook: Hook, worker: ThreadedWorker) -> None:
    hook.answers = [503, 302]
    opened(db, hook)
    wait_until(lambda: [row.failures for row in execute(db, alerts.messages(KEY, 9))] == [1])
    found = alert(db, KEY)
    assert found is not None
    assert (found.unsent, found.error) == (1, "answered 503")
    wait_until(lambda: hurry(db) or [row.failures for row in execute(db, alerts.messages(KEY, 9))] == [2])
    wait_until(lambda: hurry(db) or (sent(db) and jobs(db) == 0))
    assert len(hook.taken) == 3
    assert len({taken.headers["Idempotency-Key"] for taken in hook.taken}) == 1
    begin = now()
    looks(db, begin, begin + 2 * M)
    assert {key for key, _ in told(db)} == {KEY}


def test_a_job_that_sends_and_dies_is_no_alert_and_the_next_message_is_sent(
    db: Conn, shared: str, hook: Hook, worker: ThreadedWorker
) -> None:
    hook.answers = [500] * 100
    opened(db, hook)
    while not db.execute("select from pgqueue.dead_jobs").fetchall():
        hurry(db)
    worker.stop()
    begin = now()
    looks(db, begin, begin + 2 * M)
    assert {key for key, _ in told(db)} == {KEY}
    hook.answers = []
    looks(db, begin + 12 * M, begin + 13 * M)
    again = ThreadedWorker(shared, executor="thread", poll=0.2)
    try:
        wait_until(lambda: sent(db))
    finally:
        again.stop()
    assert hook.taken[-1].json["what"] == "resolved"


def test_mail_arrives_from_a_worker(
    db: Conn, mailbox: Mailbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, worker: ThreadedWorker
) -> None:
    mailbox.authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    channel(db, "mail", "smtp", host="127.0.0.1", port=mailbox.port, sender="q@example.com", to=["a@example.com"])
    execute(db, alerts.test(["mail"], "ann"))
    wait_until(lambda: mailbox.mails)
    assert "a test: ann asked whether messages arrive" in mailbox.mails[0]["Subject"]
    wait_until(lambda: sent(db, "test"))


def test_what_died_for_real_is_told_without_its_secret(
    db: Conn, shared: str, hook: Hook, worker: ThreadedWorker
) -> None:
    channel(db, url=hook.url)
    for number in range(3):
        pgqueue.enqueue(db, f"{TASKS}:die", {"number": number, "password": SECRET})
    wait_until(lambda: db.execute("select count(*) from pgqueue.dead_jobs").fetchone() == (3,))
    worker.stop()
    begin = now()
    looks(db, begin, begin + M)
    again = ThreadedWorker(shared, executor="thread", poll=0.2)
    try:
        wait_until(lambda: hook.taken)
    finally:
        again.stop()
    (got,) = hook.taken
    assert got.json["title"] == "3 dead jobs: OSError in tests.alerts.tasks:die (new cause)"
    assert got.json["traceback"].splitlines()[-1].startswith("OSError: no route for 2, by •••••")
    assert SECRET.encode() not in got.body
    stored = db.execute(
        "select facts::text from pgqueue.alert_messages union all select facts::text from pgqueue.alerts"
    )
    assert all(SECRET not in row[0] for row in stored)


@pytest.mark.faults
@pytest.mark.parametrize("kind", ["thread", "process"])
def test_a_sender_killed_between_sending_and_commit_sends_the_same_id_again(
    db: Conn, shared: str, hook: Hook, tmp_path: Path, kind: str
) -> None:
    first = spawned(shared, tmp_path / "first.log", executor=kind, lease=2)
    gone = threading.Event()

    def kill(_: Taken) -> None:
        if not gone.is_set():
            # The request is here, and its answer is not: nothing was committed.
            with suppress(ProcessLookupError):
                os.killpg(first.pid, signal.SIGKILL)
            first.process.wait()
            gone.set()

    hook.on_request = kill
    opened(db, hook)
    assert gone.wait(20)
    assert not sent(db)
    second = spawned(shared, tmp_path / "second.log", executor=kind, lease=2)
    try:
        wait_until(lambda: hurry(db) or sent(db), 30)
        wait_until(lambda: jobs(db) == 0)
    finally:
        second.close()
        first.close()
    assert len(hook.taken) == 2
    assert len({taken.headers["Idempotency-Key"] for taken in hook.taken}) == 1
    assert [taken.json["what"] for taken in hook.taken] == ["opened", "opened"]


@pytest.mark.faults
def test_a_worker_that_is_killed_is_told_by_who_takes_its_jobs_back(db: Conn, shared: str, tmp_path: Path) -> None:
    channel(db)
    first = spawned(shared, tmp_path / "first.log", executor="thread", lease=2)
    os.killpg(first.pid, signal.SIGKILL)
    first.process.wait()
    second = spawned(shared, tmp_path / "second.log", executor="thread", lease=2)
    try:
        found = wait_until(lambda: alert(db, f"worker_lost:{socket.gethostname()}"), 30)
    finally:
        second.close()
        first.close()
    assert (found.n, found.facts["pids"]) == (1, [first.pid])


@pytest.mark.faults
def test_ten_thousand_deaths_of_one_cause_are_one_message(db: Conn, shared: str, hook: Hook) -> None:
    """Real jobs, real workers who look by themselves, two of them; the clock alone is moved."""
    channel(db, url=hook.url)
    execute(db, alert_settings.set_rule("unserved", "", None))
    target = f"{TASKS}:die"
    pgqueue.enqueue_many(
        db, [pgqueue.NewJob(target, {"number": number, "password": SECRET}) for number in range(10_000)]
    )
    workers = [ThreadedWorker(shared, executor="thread", concurrency=4, poll=0.2, app=[TASKS]) for _ in range(2)]
    wait_until(lambda: db.execute("select count(*) from pgqueue.dead_jobs").fetchone() == (10_000,), 240)
    for worker in workers:
        worker.stop()
    begin = now()
    with psycopg.connect(shared, autocommit=True) as other:
        looks(other, begin, begin + 5 * M)
    last = ThreadedWorker(shared, executor="thread", poll=0.2)
    try:
        wait_until(lambda: hook.taken and jobs(db) == 0, 30)
    finally:
        last.stop()
    assert [taken.json["what"] for taken in hook.taken] == ["opened"]
    assert hook.taken[0].json["title"].startswith("10,000 dead jobs: OSError")
    assert SECRET.encode() not in hook.taken[0].body


def test_the_doctor_is_asked_by_a_job_and_each_fail_is_noted(db: Conn, hook: Hook, worker: ThreadedWorker) -> None:
    channel(db, url=hook.url)
    db.execute("drop index pgqueue.causes_first")
    try:
        db.execute("select pgqueue.enqueue('pgqueue.alerts:examine', queue => 'pgqueue.alerts')")
        found = wait_until(lambda: alert(db, "doctor:indexes"), 30)
        assert "causes_first is missing" in found.facts["text"]
    finally:
        db.execute("create index causes_first on pgqueue.causes (first_at)")


def test_a_target_of_ours_that_is_none_is_unknown_and_runs_nothing(db: Conn, worker: ThreadedWorker) -> None:
    for name in ("channel_of", "open_connection", "__import__", "compose"):
        db.execute("select pgqueue.enqueue(%s)", [f"pgqueue.alerts:{name}"])
    db.execute("select pgqueue.enqueue('pgqueue.alerting.mail:letter')")
    wait_until(lambda: db.execute("select count(*) from pgqueue.jobs where run_at <= now()").fetchone() == (0,))
    assert db.execute("select count(*) from pgqueue.attempts where outcome = 'succeeded'").fetchone() == (0,)
