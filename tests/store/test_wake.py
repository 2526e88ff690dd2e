"""Notifications: sent only when somebody idle listens, and at most one a transaction and queue."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pgqueue.job import NewJob
from pgqueue.store import enqueueing, execute, jobs, queues, wakeups
from tests.conftest import Connect
from tests.factories import (
    HOUR,
    TARGET,
    Conn,
    claim,
    claim_one,
    enlist,
    enqueue,
    expire,
    fail,
    fill,
    lose,
    reap,
    release,
    settle,
    state,
)

Heard = Callable[[], list[str]]


@pytest.fixture
def listener(connect: Connect) -> Conn:
    """A connection on which a worker listens; not idle yet."""
    listener = connect(autocommit=True)
    listener.execute("listen pgqueue")
    listener.execute("listen pgqueue_ended")
    return listener


def heard(listener: Conn) -> list[str]:
    """What has arrived up to now: a notification of our own comes behind all that was committed before."""
    listener.execute("select pg_notify('pgqueue', 'end')")
    payloads = [each.payload for each in listener.notifies(timeout=5, stop_after=1)]
    while payloads[-1] != "end":
        payloads += [each.payload for each in listener.notifies(timeout=5, stop_after=1)]
    return payloads[:-1]


def idle(listener: Conn, *queues: str) -> None:
    execute(listener, wakeups.hungry(queues or None))


def test_nobody_is_told_while_nobody_is_idle(db: Conn, listener: Conn) -> None:
    enqueue(db)
    assert heard(listener) == []


def test_an_idle_worker_is_told_the_queue(db: Conn, listener: Conn) -> None:
    idle(listener, "default", "mail")
    enqueue(db, queue="mail")
    assert heard(listener) == ["mail"]


def test_a_worker_that_is_idle_for_other_queues_is_not_told(db: Conn, listener: Conn) -> None:
    idle(listener, "mail")
    enqueue(db, queue="web")
    assert heard(listener) == []


def test_a_worker_of_all_queues_is_told_of_each(db: Conn, listener: Conn) -> None:
    idle(listener)
    enqueue(db, queue="web")
    enqueue(db, queue="mail")
    assert heard(listener) == ["web", "mail"]


def test_a_worker_that_got_busy_is_not_told_any_more(db: Conn, listener: Conn) -> None:
    idle(listener)
    execute(listener, wakeups.fed())
    enqueue(db)
    assert heard(listener) == []


def test_p1_a_rollback_tells_nobody(conn: Conn, listener: Conn) -> None:
    idle(listener)
    enqueue(conn)
    conn.rollback()
    assert heard(listener) == []


def test_at_most_one_notification_a_transaction_and_queue(conn: Conn, listener: Conn) -> None:
    idle(listener)
    for queue in ("a", "b", "a"):
        enqueue(conn, queue=queue)
        execute(conn, enqueueing.enqueue_many([NewJob(TARGET, queue=queue)] * 3))
        execute(
            conn, enqueueing.enqueue_many([NewJob(TARGET, queue=queue, unique_key=queue), NewJob(TARGET, queue=queue)])
        )
    conn.commit()
    assert heard(listener) == ["a", "b"]


@pytest.mark.parametrize(("mode", "told"), [("always", ["default"]), ("off", []), ("idle", []), ("", [])])
def test_the_setting_decides_when_nobody_is_idle(db: Conn, listener: Conn, mode: str, told: list[str]) -> None:
    db.execute("select set_config('pgqueue.notify', %s, false)", [mode])
    enqueue(db)
    assert heard(listener) == told


def test_off_tells_not_even_the_idle(db: Conn, listener: Conn) -> None:
    idle(listener)
    db.execute("set pgqueue.notify = 'off'")
    enqueue(db)
    assert heard(listener) == []


def test_what_is_due_much_later_wakes_nobody(db: Conn, listener: Conn) -> None:
    idle(listener)
    enqueue(db, delay=HOUR)
    execute(db, enqueueing.enqueue_many([NewJob(TARGET, delay=HOUR)] * 2))
    assert heard(listener) == []


def test_what_is_due_before_the_next_poll_wakes(db: Conn, listener: Conn) -> None:
    idle(listener)
    enqueue(db, delay=2)
    assert heard(listener) == ["default"]
    execute(db, enqueueing.enqueue_many([NewJob(TARGET, delay=2)] * 2))
    assert heard(listener) == ["default"]


def test_a_job_that_comes_back_wakes(db: Conn, listener: Conn) -> None:
    idle(listener)
    for move in (fail, release, lose):
        db.execute("delete from pgqueue.jobs")
        taken = claim_one(db)
        assert heard(listener) == ["default"]
        move(db, taken)
        assert heard(listener) == ["default"], move.__name__


def test_a_late_release_wakes_nobody(db: Conn, listener: Conn) -> None:
    taken = claim_one(db)
    lose(db, taken)
    claim(db, enlist(db))
    idle(listener)
    release(db, taken)
    fail(db, taken)
    assert heard(listener) == []


def test_a_revived_job_wakes(db: Conn, listener: Conn) -> None:
    taken = claim_one(db)
    fail(db, taken, None)
    idle(listener)
    execute(db, jobs.retry(taken.id))
    assert heard(listener) == ["default"]


def test_claiming_and_settling_wakes_no_worker(db: Conn, listener: Conn) -> None:
    fill(db, 2)
    idle(listener)
    settle(db, *claim(db, enlist(db), 2))
    assert heard(listener) == []


@pytest.mark.parametrize("end", ["succeeded", "dead", "cancelled", "completed", "reaped"])
def test_who_waits_for_a_result_is_told_of_every_end(db: Conn, listener: Conn, end: str) -> None:
    listener.execute("select pg_advisory_lock_shared(7703, 0)")
    made = enqueue(db, max_attempts=1)
    if end == "cancelled":
        execute(db, jobs.cancel(made))
    else:
        (taken,) = claim(db, enlist(db))
        if end == "succeeded":
            settle(db, taken)
        elif end == "dead":
            fail(db, taken, None)
        elif end == "completed":
            execute(db, jobs.complete(taken, None))
        else:
            expire(db, taken.worker)
            reap(db)
    assert heard(listener) == [str(made)]


def test_many_ends_are_told_in_few_notifications(db: Conn, listener: Conn) -> None:
    listener.execute("select pg_advisory_lock_shared(7703, 0)")
    made = fill(db, 450)
    settle(db, *claim(db, enlist(db), 450))
    told = heard(listener)
    assert len(told) == 3
    assert {job for each in told for job in each.split(",")} == set(map(str, made))


@pytest.mark.parametrize("end", ["retried", "released", "lost", "late"])
def test_who_follows_is_told_of_attempts_that_do_not_end_their_job(db: Conn, listener: Conn, end: str) -> None:
    taken = claim_one(db)
    if end == "late":
        lose(db, taken)
    listener.execute("select pg_advisory_lock_shared(7703, 0)")
    if end == "retried":
        fail(db, taken)
    elif end == "released":
        release(db, taken, 60.0)
    elif end == "lost":
        lose(db, taken)
    else:
        settle(db, taken)
    assert heard(listener) == [str(taken.id)]


def test_no_end_is_told_while_nobody_waits(db: Conn, listener: Conn) -> None:
    settle(db, claim_one(db))
    assert heard(listener) == []


def test_waking_leaves_no_lock_behind(db: Conn, listener: Conn) -> None:
    idle(listener, "mail")
    db.execute("begin")
    enqueue(db)
    enqueue(db, queue="mail")
    pid = db.info.backend_pid
    row = listener.execute("select count(*) from pg_locks where locktype = 'advisory' and pid = %s", [pid]).fetchone()
    db.execute("rollback")
    assert row == (0,)


def test_an_idle_worker_is_told_when_a_queue_is_resumed(db: Conn, listener: Conn) -> None:
    idle(listener)
    execute(db, queues.pause("mail"))
    assert heard(listener) == []
    execute(db, queues.resume("mail"))
    assert heard(listener) == ["mail"]


def test_p11_a_queue_with_an_endless_name_does_not_stop_the_reaper(db: Conn, connect: Connect) -> None:
    name = "q" * 9_000
    enqueue(db)
    db.execute("update pgqueue.jobs set queue = %s", [name])
    worker = enlist(db)
    (taken,) = claim(db, worker, 1, name)
    connect(autocommit=True).execute("select pg_advisory_lock_shared(7702, 0)")
    expire(db, worker)
    assert reap(db) == {worker: 1}
    assert state(db, taken.id) == "ready"
