"""A worker of very many queues: what it costs, that it serves each of them, and in which order."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

import pgqueue
from pgqueue.bench.counters import counters
from pgqueue.bench.growth import Shape, fill
from pgqueue.embedded import Server
from pgqueue.events import AttemptsFinished, Trouble
from pgqueue.job import NewJob
from pgqueue.store import execute, queues, wakeups
from pgqueue.worker.upkeep import watchdog
from tests.conftest import Connect
from tests.waiting import wait_until
from tests.worker.running import ERRANDS, NEVER, Desk, StartThreaded, ThreadedWorker, lines_of

MANY = 10_000
BENCH = ["pgqueue.bench.tasks"]
NAMES = [f"default{number}" for number in range(MANY)]


@pytest.fixture(params=[None, NAMES], ids=["all queues", "named queues"])
def names(request: pytest.FixtureRequest) -> list[str] | None:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def spent(server: Server, database: str) -> Iterator[Callable[[], int]]:
    """How many transactions the test's database has seen, asked from another one; sessions tell when they end."""
    watcher = psycopg.connect(server.dsn("postgres", tcp=True), autocommit=True)

    def spent() -> int:
        row = watcher.execute("select xact_commit from pg_stat_database where datname = %s", [database]).fetchone()
        assert row is not None
        return int(row[0])

    yield spent
    watcher.close()


def read(desk: Desk) -> int:
    """Entries of the claim's index that were read, by sessions that have ended."""
    desk.conn.execute("select pg_stat_clear_snapshot()")
    return int(desk.one("select idx_tup_read from pg_stat_user_indexes where indexrelname = 'jobs_claim'"))


def test_a_drain_of_ten_thousand_queues_reads_little_and_takes_few_transactions(
    dsn: str, desk: Desk, names: list[str] | None
) -> None:
    fill(dsn, Shape(name="many", ready=2 * MANY, queues=MANY))
    before = counters(desk.conn)
    read_before = read(desk)
    worker = ThreadedWorker(dsn, executor="thread", app=BENCH, concurrency=4, burst=True, queues=names)
    assert worker.join(120) == 0
    spent = counters(desk.conn, deleted=2 * MANY) - before
    assert spent.deleted == 2 * MANY
    # A busy machine makes more rounds of it: 0.03 where nothing else runs.
    assert spent.transactions / (2 * MANY) <= 0.1
    # Each job when it is claimed, each slot when it is found; and rounds, that see what is left every now and then.
    assert read(desk) - read_before <= 12 * 2 * MANY


LIMITED = pytest.mark.parametrize("limited", [False, True], ids=["no limits", "a limited task"])


@LIMITED
def test_a_new_queue_among_ten_thousand_is_served_by_a_few_steps(
    dsn: str, desk: Desk, spent: Callable[[], int], *, limited: bool
) -> None:
    if limited:
        pgqueue.set_limit(desk.conn, "task", "shop.tasks:charge", concurrency=5)
    fill(dsn, Shape(name="many", ready=MANY, queues=MANY))
    desk.conn.execute("update pgqueue.jobs set run_at = now() + interval '1 day'")
    worker = ThreadedWorker(dsn, executor="thread", app=BENCH, poll=NEVER)
    try:
        desk.await_idle()
        claimer = worker.worker._serving._enlistment._roles.claimer
        wait_until(lambda: claimer.bounds.get("slots with jobs") == str(MANY))
        before = spent()
        for number in range(20):
            desk.send(f"{BENCH[0]}:nothing", number, queue=f"new {number}")
            wait_until(lambda sent=number + 1: ended(worker) == sent, 2)  # type: ignore[misc]  # bound early
    finally:
        assert worker.stop() == 0
    # The enqueue, the claim, the settlement, one more that looks for others; and a round of windows now and then, with
    # one of its own for jobs of the limited task.
    wait_until(lambda: spent() > before)
    assert spent() - before <= 20 * 6 + 150 * (1 + limited)


def ended(worker: ThreadedWorker) -> int:
    return sum(len(event.batch) for event in worker.heard(AttemptsFinished))


def test_no_queue_starves_beside_one_that_is_never_empty(start: StartThreaded, desk: Desk) -> None:
    """Nobody tells the worker of the others, and it is never idle."""
    desk.send_many([NewJob(f"{ERRANDS}:again", queue="flood") for _ in range(1500)])
    worker = start(executor="thread", concurrency=4, poll=1.0)
    wait_until(lambda: ended(worker) > 4000, 20)
    desk.conn.execute("set pgqueue.notify = 'off'")
    others = desk.send_many([NewJob(f"{ERRANDS}:work", [0.0], queue=f"other {number}") for number in range(300)])
    left = "select count(*) from pgqueue.jobs where id = any (%s)"
    wait_until(lambda: desk.one(left, others) == 0, 20, "all other queues were served")
    assert desk.one("select count(*) from pgqueue.jobs where queue = 'flood'") > 0
    desk.conn.execute("delete from pgqueue.jobs where worker is null")


def test_among_many_queues_the_longest_wait_is_first_and_priority_before_it(
    start: StartThreaded, desk: Desk, tmp_path: Path
) -> None:
    path = str(tmp_path / "order")
    new = [NewJob(f"{ERRANDS}:record", [path, f"{n:02}"], queue=f"q{n * 7 % 40}") for n in range(40)]
    urgent = NewJob(f"{ERRANDS}:record", [path, "urgent"], queue="q5", priority=9)
    # In this order they fall due.
    for each in [*new, urgent]:
        desk.send_many([each])
    assert start(executor="thread", concurrency=1, burst=True).join() == 0
    assert lines_of(tmp_path / "order") == ["urgent", *(f"{n:02}" for n in range(40))]


@LIMITED
def test_a_burst_ends_when_nothing_can_be_claimed_of_many_queues(
    start: StartThreaded, desk: Desk, *, limited: bool
) -> None:
    if limited:
        pgqueue.set_limit(desk.conn, "task", f"{ERRANDS}:charge", concurrency=5)
    desk.send_many([NewJob(f"{ERRANDS}:work", queue=f"q{number}") for number in range(300)])
    desk.send_many([NewJob(f"{ERRANDS}:work", queue=f"later{number}", delay=3600) for number in range(100)])
    for number in range(50):
        execute(desk.conn, queues.pause(f"q{number}"))
    assert start(executor="thread", burst=True).join() == 0
    assert desk.one("select count(*) from pgqueue.jobs where queue ~ '^q'") == 50
    assert desk.one("select count(*) from pgqueue.jobs where queue ~ '^later'") == 100


def test_what_commits_late_below_all_others_is_found(start: StartThreaded, desk: Desk, connect: Connect) -> None:
    desk.send_many([NewJob(f"{ERRANDS}:work", queue=f"q{number}", delay=3600) for number in range(100)])
    start(executor="thread", poll=1.0)
    desk.await_idle()
    with connect() as late:
        late.execute("set pgqueue.notify = 'off'")
        job_id = Desk(late).send("work", queue="q50")
        late.execute("update pgqueue.jobs set run_at = now() - interval '1 day' where id = %s", [job_id])
    desk.await_state(job_id, timeout=5)


def test_a_job_known_beforehand_starts_in_time_among_many_queues(start: StartThreaded, desk: Desk) -> None:
    desk.send_many([NewJob(f"{ERRANDS}:work", queue=f"q{number}", delay=3600) for number in range(100)])
    start(executor="thread", poll=NEVER)
    desk.await_idle()
    # Heard of, and then known: a notification comes with the enqueue alone.
    job_id = desk.send("work", queue="new", delay=2.0)
    before = time.monotonic()
    desk.await_state(job_id, timeout=4)
    assert time.monotonic() - before > 1.5


def test_a_worker_of_very_many_names_holds_few_locks(desk: Desk, start: StartThreaded) -> None:
    held = "select count(*) from pg_locks where locktype = 'advisory' and classid in (7701, 7702)"
    start(executor="thread", queues=NAMES, poll=NEVER)
    wait_until(lambda: desk.one(held) > 0)
    assert desk.one(held) <= wakeups.MOST_LOCKS
    desk.await_state(desk.send("work", queue=NAMES[-1]), timeout=2)


def test_a_claimer_that_overlooks_one_of_many_queues_is_made_to_begin_anew(
    start: StartThreaded, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever made it overlook the job; the window of the watchdog is smaller than the queues are many."""
    monkeypatch.setattr(watchdog, "WINDOW", 20)
    desk.send_many([NewJob(f"{ERRANDS}:work", queue=f"q{number}", delay=3600) for number in range(50)])
    worker = start(executor="thread", lease=1.5, poll=0.2)
    desk.await_idle()
    served = worker.worker._serving._enlistment._roles.claimer._served
    monkeypatch.setattr(served._many, "_learn", lambda *_: None)
    desk.conn.execute("set pgqueue.notify = 'off'")
    job_id = desk.send("work", queue="q49")
    assert desk.await_state(job_id, timeout=20).state == "succeeded"
    (trouble,) = wait_until(lambda: worker.heard(Trouble))
    assert trouble.error == f"idle, but job {job_id} is long due"
    assert worker.stop() == 0
