"""How far a job is can be seen while it runs, the last word always, and that of a late attempt never."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

import pgqueue
from pgqueue.job_progress import Gauge, Progress
from pgqueue.record import JobProgress
from pgqueue.store import execute, progress
from pgqueue.worker.upkeep.progress_keeper import IDLE, ProgressKeeper
from tests import factories
from tests.conftest import Connect
from tests.waiting import wait_until
from tests.worker.running import KINDS, ONE_KIND, Desk, StartProcess, StartThreaded, lines_of

TASKS = "tests.worker.long_tasks"


def said(conn: psycopg.Connection[Any], job: UUID) -> JobProgress | None:
    return execute(conn, progress.of([job])).get(job)


@pytest.mark.parametrize(("kind", "task"), [*((kind, "tell") for kind in KINDS), ("async", "tell_async")])
def test_the_newest_word_is_seen_while_a_job_runs_and_the_last_one_at_its_end(
    start: StartThreaded, desk: Desk, kind: str, task: str, tmp_path: Path
) -> None:
    start(executor=kind, app=[TASKS], concurrency=1)
    job = desk.send(f"{TASKS}:{task}", str(tmp_path / "go"))
    now = wait_until(lambda: (each := said(desk.conn, job)) and each.done == 10_000 and each, 10, "the newest word")
    assert isinstance(now, JobProgress)
    assert (now.total, now.share, now.note, now.attempt) == (20_000, 0.5, "row 10000", 1)
    assert desk.job(job).state == "running"
    (tmp_path / "go").touch()
    desk.await_state(job, "succeeded")
    wait_until(lambda: (each := said(desk.conn, job)) and each.done == 20_000, 5, "the last word")
    last = said(desk.conn, job)
    assert last is not None
    assert (last.share, last.note, last.rest) == (1, r"all \x1b[31mrows", pgqueue.record.timedelta())
    assert last.rate is not None
    assert last.rate > 0


def test_a_million_words_are_a_few_writes(start: StartThreaded, desk: Desk, tmp_path: Path) -> None:
    worker = start(executor="thread", app=[TASKS], concurrency=1)
    job = desk.send(f"{TASKS}:tell", str(tmp_path / "go"))
    wait_until(lambda: (each := said(desk.conn, job)) and each.done == 10_000, 10, "the newest word")
    (tmp_path / "go").touch()
    desk.await_state(job, "succeeded")
    worker.stop()
    desk.one("select pg_stat_force_next_flush()")
    written = "select n_tup_ins + n_tup_upd from pg_stat_user_tables where relid = 'pgqueue.progress'::regclass"
    wait_until(lambda: desk.one(written) > 0, 5, "statistics")
    assert desk.one(written) <= 10


def test_a_secret_and_a_number_that_is_none_are_not_kept(start: StartThreaded, desk: Desk) -> None:
    worker = start(executor="thread", app=[TASKS], concurrency=1)
    secret = pgqueue.enqueue(desk.conn, f"{TASKS}:tell_secret", {"token": "hunter-22"}).id
    bad = [desk.send(f"{TASKS}:tell_nonsense", value) for value in ("ten", None, True)]
    desk.await_all_ended()
    worker.stop()
    word = said(desk.conn, secret)
    assert word is not None
    assert "hunter" not in (word.note or "")
    assert [desk.job(job).state for job in bad] == ["dead"] * 3
    assert "done must be a number, got 'ten'" in desk.errors(bad[0])[0]


# The table.


def word(done: float, total: float | None = None, note: str | None = None) -> Progress:
    return Progress(done, total, note, time.monotonic())


def test_the_word_of_a_late_attempt_changes_nothing(db: psycopg.Connection[Any]) -> None:
    late = factories.claim_one(db)
    assert execute(db, progress.note(late.worker, [(late.id, late.claim, word(5, 10))])) == 1
    db.execute("update pgqueue.workers set expires_at = now() - interval '1 s' where id = %s", [late.worker])
    db.execute("select pgqueue.reap()")
    assert execute(db, progress.note(late.worker, [(late.id, late.claim, word(9, 10))])) == 0
    now = factories.claim(db, factories.enlist(db))[0]
    assert execute(db, progress.note(now.worker, [(now.id, now.claim, word(6, 10))])) == 1
    assert execute(db, progress.note(late.worker, [(late.id, late.claim, word(9, 10))])) == 0
    found = said(db, now.id)
    assert found is not None
    assert (found.done, found.attempt) == (6, 2)


def test_the_last_word_counts_behind_the_end_but_not_over_a_later_attempts(db: psycopg.Connection[Any]) -> None:
    first = factories.claim_one(db)
    factories.fail(db, first)
    assert execute(db, progress.note(first.worker, [(first.id, first.claim, word(1))])) == 1
    second = factories.claim(db, first.worker)[0]
    assert execute(db, progress.note(second.worker, [(second.id, second.claim, word(2))])) == 1
    assert execute(db, progress.note(first.worker, [(first.id, first.claim, word(3))])) == 0
    both = [(first.id, first.claim, word(4)), (second.id, second.claim, word(5))]
    assert execute(db, progress.note(first.worker, both)) == 1
    factories.settle(db, second)
    assert execute(db, progress.note(second.worker, [(second.id, second.claim, word(6, 6))])) == 1
    found = said(db, second.id)
    assert found is not None
    assert (found.done, found.share) == (6, 1)
    # Of another's it is not.
    assert execute(db, progress.note(factories.enlist(db), [(second.id, second.claim, word(7))])) == 0


def test_rate_and_rest_are_those_of_the_attempt(db: psycopg.Connection[Any]) -> None:
    claim = factories.claim_one(db)
    for age, done in ((20, 100), (10, 150)):
        each = Progress(done, 200, None, time.monotonic() - age)
        execute(db, progress.note(claim.worker, [(claim.id, claim.claim, each)]))
    found = said(db, claim.id)
    assert found is not None
    assert found.rate == pytest.approx(5, abs=0.1)
    assert found.rest is not None
    assert found.rest.total_seconds() == pytest.approx(10, abs=0.5)


def test_it_touches_no_row_of_jobs_and_writes_its_own_in_place(db: psycopg.Connection[Any]) -> None:
    claim = factories.claim_one(db)
    before = db.execute("select ctid, xmin, xmax from pgqueue.jobs").fetchall()
    for done in range(20):
        execute(db, progress.note(claim.worker, [(claim.id, claim.claim, word(done))]))
    assert db.execute("select ctid, xmin, xmax from pgqueue.jobs").fetchall() == before
    assert db.execute("select pg_relation_size('pgqueue.progress')").fetchone() == (8192,)


@pytest.mark.parametrize("rows", ["{}", "null", f"[{','.join(['{}'] * 1001)}]"])
def test_what_is_no_list_of_words_is_refused(db: psycopg.Connection[Any], rows: str) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="at most 1,000 objects"):
        db.execute("select pgqueue.note_progress(1, %s::json)", [rows])


def test_words_without_sense_are_left_out(db: psycopg.Connection[Any]) -> None:
    claim = factories.claim_one(db)
    rows = f'[{{"job": "{claim.id}"}}, {{"job": "{claim.id}", "claim": 1, "done": "NaN"}}, {{"done": 1}}]'
    assert db.execute("select pgqueue.note_progress(%s, %s::json)", [claim.worker, rows]).fetchone() == (0,)


def test_it_is_pruned_with_history_and_goes_with_the_dead_job(db: psycopg.Connection[Any]) -> None:
    done, dead, live = (factories.claim_one(db) for _ in range(3))
    for each in (done, dead, live):
        execute(db, progress.note(each.worker, [(each.id, each.claim, word(1))]))
    factories.settle(db, done)
    factories.fail(db, dead, None)
    db.execute("update pgqueue.progress set at = at - interval '8 days'")
    below = "select pgqueue.prune_below('ff000000-0000-7000-8000-000000000000', 'ff000000-0000-7000-8000-000000000000',"
    below += " 'ff000000-0000-7000-8000-000000000000', '7 days', %s, 1000)"
    db.execute(below, ["180 days"])
    assert (said(db, done.id), said(db, dead.id) is None, said(db, live.id) is None) == (None, False, False)
    db.execute("update pgqueue.dead_jobs set died_at = died_at - interval '200 days'")
    db.execute(below, ["180 days"])
    assert (said(db, dead.id), said(db, live.id) is None) == (None, False)


# Who writes it down.


def test_a_word_is_written_at_once_and_the_next_ones_half_a_second_apart(connect: Connect) -> None:
    conn = connect(autocommit=True)
    claim = factories.claim_one(conn)
    rung: list[None] = []
    keeper = ProgressKeeper(claim.worker, lambda _: None, lambda: rung.append(None))
    gauge = Gauge(claim.id, claim.claim)
    assert keeper.look(conn) == IDLE
    gauge.say(word(1), keeper.show)
    gauge.say(word(2), keeper.show)
    keeper.ring()
    keeper.ring()
    assert len(rung) == 1
    assert keeper.look(conn) == IDLE
    assert (said(conn, claim.id) or word(0)).done == 2
    gauge.say(word(3), keeper.show)
    assert 0.3 < keeper.look(conn) <= 0.5
    keeper.flush(conn)
    assert (said(conn, claim.id) or word(0)).done == 3


def test_what_was_said_amid_an_outage_is_written_after_it(connect: Connect) -> None:
    broken, whole = connect(autocommit=True), connect(autocommit=True)
    claim = factories.claim_one(whole)
    keeper = ProgressKeeper(claim.worker, lambda _: None, lambda: None)
    gauge = Gauge(claim.id, claim.claim)
    gauge.say(word(1), keeper.show)
    whole.execute("select pg_terminate_backend(%s)", [broken.info.backend_pid])
    with pytest.raises(psycopg.OperationalError):
        keeper.look(broken)
    gauge.say(word(2), keeper.show)
    keeper.flush(whole)
    assert (said(whole, claim.id) or word(0)).done == 2


# Watching.


def test_watch_tells_of_progress_and_states_and_ends_with_the_job(
    start: StartThreaded, desk: Desk, connect: Connect, tmp_path: Path
) -> None:
    job = desk.send(f"{TASKS}:tell", str(tmp_path / "go"))
    conn = connect()
    seen = []
    for each in pgqueue.watch(conn, job, timeout=20):
        seen.append(each)
        if each.state == "ready":
            start(executor="thread", app=[TASKS], concurrency=1)
        if each.progress is not None and each.progress.done == 10_000:
            (tmp_path / "go").touch()
    states = [each.state for each in seen]
    assert (states[0], states[-1]) == ("ready", "succeeded")
    assert "running" in states
    assert seen[-1].progress is not None
    assert seen[-1].progress.share == 1
    # Nothing is left of it on the caller's connection.
    assert not conn.autocommit
    assert conn.execute("select count(*) from pg_locks where classid in (7703, 7713)").fetchone() == (0,)


async def watched(dsn: str, job: UUID) -> list[Any]:
    async with await psycopg.AsyncConnection.connect(dsn) as conn:
        return [each async for each in pgqueue.watch(conn, job, timeout=20)]


def test_watch_with_an_async_connection(start: StartThreaded, desk: Desk, dsn: str, tmp_path: Path) -> None:
    import asyncio

    start(executor="thread", app=[TASKS], concurrency=1)
    job = desk.send(f"{TASKS}:tell", str(tmp_path / "go"))
    threading.Timer(1.0, (tmp_path / "go").touch).start()
    seen = asyncio.run(watched(dsn, job))
    assert (seen[-1].state, seen[-1].progress.share) == ("succeeded", 1)
    assert len(seen) >= 3


def test_watch_refuses_what_it_could_not_keep(desk: Desk, connect: Connect) -> None:
    job = desk.send("work")
    conn = connect()
    conn.execute("select 1")
    with pytest.raises(pgqueue.UsageError, match="without an open transaction"):
        next(iter(pgqueue.watch(conn, job)))
    conn.rollback()
    with pytest.raises(pgqueue.JobNotFound):
        next(iter(pgqueue.watch(conn, UUID(int=1))))
    with pytest.raises(pgqueue.ResultTimeout, match="it goes on"):
        list(pgqueue.watch(conn, job, timeout=0.2))


def test_nobody_is_notified_while_nobody_watches(db: psycopg.Connection[Any], connect: Connect) -> None:
    ear = connect(autocommit=True)
    ear.execute("listen pgqueue_progress")
    claim = factories.claim_one(db)
    execute(db, progress.note(claim.worker, [(claim.id, claim.claim, word(1))]))
    assert list(ear.notifies(timeout=0.1)) == []
    execute(ear, progress.watched())
    execute(db, progress.note(claim.worker, [(claim.id, claim.claim, word(2))]))
    (told,) = ear.notifies(timeout=5, stop_after=1)
    assert told.payload == str(claim.id)


# Time.


@pytest.mark.parametrize(
    ("kind", "task"),
    [
        ("process", "take_longer"),
        ("thread", "take_longer"),
        ("async", "take_longer_async"),
        pytest.param("process", "take_longer_async", marks=pytest.mark.faults),
        pytest.param("thread", "take_longer_async", marks=pytest.mark.faults),
        pytest.param("async", "take_longer", marks=pytest.mark.faults),
    ],
)
def test_a_job_that_asks_for_more_time_has_it(
    start: StartThreaded, desk: Desk, kind: str, task: str, tmp_path: Path
) -> None:
    start(executor=kind, app=[TASKS], concurrency=1)
    job = desk.send(f"{TASKS}:{task}", str(tmp_path / "log"), 1.2, 30.0)
    assert desk.await_state(job).state == "succeeded"
    assert desk.outcomes(job) == ["succeeded"]
    assert lines_of(tmp_path / "log") in (["30"], ["30.0"])


@pytest.mark.parametrize("kind", ONE_KIND)
def test_a_job_that_asked_for_too_little_is_out_of_time(
    start: StartThreaded, desk: Desk, kind: str, tmp_path: Path
) -> None:
    start(executor=kind, app=[TASKS], concurrency=1)
    job = desk.send(f"{TASKS}:take_longer", str(tmp_path / "log"), 20.0, 0.6, max_attempts=1)
    assert desk.await_state(job).state == "dead"
    assert desk.outcomes(job) == ["timeout"]


@pytest.mark.parametrize("extension", [0, -1, float("nan"), float("inf"), "5m", 100_000])
def test_an_extension_without_sense_is_refused(extension: Any) -> None:
    from pgqueue.context import JobContext

    job = JobContext(factories_claim(), [], {}, 1.0)
    with pytest.raises(pgqueue.OptionError, match="timeout must"):
        job.extend(extension)


def factories_claim() -> Any:
    from tests.worker.claims import claim

    return claim("")


@pytest.mark.parametrize("kind", KINDS)
def test_a_job_is_told_that_its_worker_stops(start: StartThreaded, desk: Desk, kind: str, tmp_path: Path) -> None:
    worker = start(executor=kind, app=[TASKS], concurrency=1)
    job = desk.send(f"{TASKS}:await_end_of_worker", str(tmp_path / "log"))
    wait_until(lambda: lines_of(tmp_path / "log"), 10, "the job")
    worker.stop()
    assert lines_of(tmp_path / "log") == ["began False", "ended True True False"]
    assert desk.job(job).state == "succeeded"


def test_wait_ending_ends_with_a_cancellation(start: StartThreaded, desk: Desk, tmp_path: Path) -> None:
    start(executor="thread", app=[TASKS], concurrency=1)
    job = desk.send(f"{TASKS}:await_end_of_worker", str(tmp_path / "log"))
    wait_until(lambda: lines_of(tmp_path / "log"), 10, "the job")
    pgqueue.cancel(desk.conn, job)
    wait_until(lambda: len(lines_of(tmp_path / "log")) == 2, 10, "the end of the wait")
    assert lines_of(tmp_path / "log")[1] == "ended True False True"


@pytest.mark.faults
def test_a_worker_that_was_stopped_past_its_lease_says_nothing_any_more(
    spawn: StartProcess, start: StartThreaded, desk: Desk, tmp_path: Path
) -> None:
    frozen = spawn(app=[TASKS], concurrency=1, executor="thread", lease=2, poll=0.5)
    job = desk.send(f"{TASKS}:tell", str(tmp_path / "go"))
    wait_until(lambda: (each := said(desk.conn, job)) and each.done == 10_000, 10, "its word")
    frozen.signal(signal.SIGSTOP)
    start(executor="thread", app=[TASKS], concurrency=1, lease=2, poll=0.5)
    wait_until(lambda: (each := said(desk.conn, job)) and each.attempt == 2, 20, "the word of the second attempt")
    (tmp_path / "go").touch()
    desk.await_state(job, "succeeded", timeout=20)
    wait_until(lambda: (each := said(desk.conn, job)) and each.done == 20_000, 5, "the last word")
    desk.conn.execute("update pgqueue.progress set done = 77")
    frozen.signal(signal.SIGCONT)
    assert frozen.wait() == 75
    assert (said(desk.conn, job) or word(0)).done == 77
