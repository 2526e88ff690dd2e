"""What workers count is what happened, whatever happens to them; and they say how they are."""

from __future__ import annotations

import json
import signal
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pgqueue.events import AttemptsFinished, AttemptsLate, Finished, succeeded
from pgqueue.job import Claim
from pgqueue.judge import judge
from pgqueue.outcome import ErrorReport, Failed, Released
from pgqueue.store import execute, tallies, worker_reports, workers
from pgqueue.worker.supervision.report import LONGEST
from pgqueue.worker.upkeep.tallies import MOST_CAUSES, MOST_MINUTES, MOST_ROWS, OTHER, Tallies
from tests.factories import Conn, enlist
from tests.waiting import wait_until
from tests.worker.running import ANY_KIND, ERRANDS, Desk, NewJob, StartProcess, StartThreaded

HISTORY = "select queue, target, outcome, count(*)::int from pgqueue.attempts group by 1, 2, 3 order by 1, 2, 3"
COUNTED = (
    "select queue, target, outcome, sum(n)::int from pgqueue.tallies where outcome <> 'late' group by 1, 2, 3"
    " order by 1, 2, 3"
)


def a_claim(target: str = "a:b", queue: str = "q", worker: int = 1, ago: float = 0.0) -> Claim:
    due = datetime.now(UTC) - timedelta(seconds=ago)
    return Claim(uuid.uuid4(), 1, 1, 0, None, None, None, 5, queue, target, "{}", None, due, worker)


def failed(error: str, target: str = "a:b") -> Finished:
    taken = a_claim(target)
    return Finished(taken, judge(taken, Failed(ErrorReport("E", error, None))), 0.1, 1.0)


@pytest.mark.parametrize("kind", ANY_KIND)
def test_what_a_worker_counts_is_what_the_history_has(start: StartThreaded, desk: Desk, kind: str) -> None:
    jobs = [NewJob(f"{ERRANDS}:work", queue=("mail", "web")[n % 2]) for n in range(60)]
    desk.send_many([*jobs, *(NewJob(f"{ERRANDS}:fail_until", [9], max_attempts=1) for _ in range(5))])
    worker = start(executor=kind, burst=True)
    assert worker.join() == 0
    counted = desk.conn.execute(COUNTED).fetchall()
    assert counted == desk.conn.execute(HISTORY).fetchall()
    assert sum(row[3] for row in counted) == 65
    ended = desk.one("select sum(ended) from pgqueue.tallies")
    assert ended == 65
    # Whoever has ended wholly leaves nothing to make up.
    assert execute(desk.conn, tallies.make_up(1000)) is False
    durations = desk.conn.execute(
        "select sum((select sum(b) from unnest(run) as b)), sum((select sum(b) from unnest(wait) as b))"
        " from pgqueue.tallies"
    ).fetchone()
    assert durations == (65, 65)


def test_after_a_kill_and_the_reaping_the_tallies_are_the_history(spawn: StartProcess, desk: Desk) -> None:
    first = spawn(executor="thread", concurrency=4, lease=2)
    desk.send_many([NewJob(f"{ERRANDS}:work") for _ in range(3_000)])
    desk.send_many([NewJob(f"{ERRANDS}:fail_until", [9], max_attempts=1) for _ in range(5)])
    wait_until(lambda: desk.one("select count(*) from pgqueue.attempts") > 200)
    first.signal(signal.SIGKILL)
    first.wait()

    def is_reaped() -> bool:
        execute(desk.conn, workers.reap())
        return not desk.workers()

    wait_until(is_reaped, 20)
    while execute(desk.conn, tallies.make_up(20_000)):
        pass
    second = spawn(executor="thread", concurrency=4, burst=True)
    assert second.wait(60) == 0
    counted, history = desk.conn.execute(COUNTED).fetchall(), desk.conn.execute(HISTORY).fetchall()
    assert counted == history
    assert sum(row[3] for row in history) >= 3_005


def test_waits_and_runs_are_counted_in_their_buckets(start: StartThreaded, desk: Desk) -> None:
    desk.send("work", 0.3)
    assert start(executor="thread", burst=True).join() == 0
    (timing,) = execute(desk.conn, tallies.timings(datetime.now(UTC) - timedelta(minutes=5), "target"))
    assert timing.run_p50 is not None
    assert 0.26 <= timing.run_p50 <= 0.57


def test_ten_thousand_targets_stay_within_bounds_and_none_is_lost(conn: Conn) -> None:
    worker = enlist(conn)
    counting = Tallies(worker)
    counting.hear(AttemptsFinished([succeeded(a_claim(f"a:b{n}"), 0.1) for n in range(10_000)]))
    counting.append(conn)
    ((rows, n, other),) = conn.execute(
        "select count(*), sum(n)::int, sum(n) filter (where target = %s) from pgqueue.tallies", [OTHER]
    ).fetchall()
    assert n == 10_000
    assert rows == MOST_ROWS + 1
    assert other == 10_000 - MOST_ROWS
    assert conn.execute("select bool_and(degraded) from pgqueue.tallies where target = 'other'").fetchone() == (True,)


def test_of_a_hundred_thousand_a_minute_all_are_counted_and_enough_are_timed(conn: Conn) -> None:
    counting = Tallies(enlist(conn), clock=lambda: 60.0)
    taken, other = a_claim("a:b"), a_claim("a:c")
    for _ in range(100):
        jobs = [succeeded(taken, 0.1 if n % 4 else 20.0) for n in range(1_000)]
        counting.hear(AttemptsFinished([*jobs, succeeded(other, 0.1), *jobs[:3]]))
    counting.append(conn)
    told = "select n, ended, (select sum(b) from unnest(run) as b)::int, run[14] from pgqueue.tallies order by target"
    (many, few) = conn.execute(told).fetchall()
    assert many[:2] == (100_300, 100_300)
    assert many[2] == pytest.approx(100_300, abs=8)
    assert many[3] == pytest.approx(25_100, rel=0.1)
    assert few[:3] == (100, 100, 100)


def test_a_thousand_causes_a_minute_are_fifty_and_the_rest(conn: Conn) -> None:
    counting = Tallies(enlist(conn))
    errors = ["".join("ghijklmnop"[int(digit)] for digit in str(n)) for n in range(1_000)]
    counting.hear(AttemptsFinished([failed(error) for error in errors]))
    counting.append(conn)
    ((causes, n),) = conn.execute("select count(distinct cause), sum(n)::int from pgqueue.tallies").fetchall()
    assert (causes, n) == (MOST_CAUSES + 1, 1_000)
    assert conn.execute("select count(*) from pgqueue.causes").fetchone() == (MOST_CAUSES,)


def test_through_an_hour_without_the_database_it_stays_bounded(conn: Conn) -> None:
    minutes = iter(range(-1, 60))
    counting = Tallies(enlist(conn), clock=lambda: 60.0 * next(minutes))
    for _ in range(60):
        counting.hear(AttemptsFinished([succeeded(a_claim(f"a:b{n}"), 0.1) for n in range(3)]))
    counting.append(conn)
    ((told, n),) = conn.execute("select count(distinct minute), sum(n)::int from pgqueue.tallies").fetchall()
    assert n == 180
    assert told <= MOST_MINUTES


def test_late_attempts_and_those_that_never_began_are_told_apart(conn: Conn) -> None:
    counting = Tallies(enlist(conn))
    taken = a_claim()
    unstarted = Finished(taken, judge(taken, Released(started=False)), 0.0)
    counting.hear(AttemptsFinished([unstarted, succeeded(a_claim(), 0.1)]))
    counting.hear(AttemptsLate([succeeded(a_claim(), 0.1)]))
    counting.append(conn)
    found = conn.execute("select outcome, n, ended from pgqueue.tallies order by 1").fetchall()
    assert found == [("late", 1, 0), ("succeeded", 1, 1)]


def test_what_could_not_be_appended_is_appended_later_and_once(conn: Conn) -> None:
    conn.autocommit = True
    worker = enlist(conn)
    counting = Tallies(worker)
    counting.hear(AttemptsFinished([succeeded(a_claim(), 0.1)]))
    conn.execute("alter table pgqueue.tallies rename to tallies_away")
    with pytest.raises(Exception, match="tallies"):
        counting.append(conn)
    conn.execute("alter table pgqueue.tallies_away rename to tallies")
    counting.hear(AttemptsFinished([succeeded(a_claim(), 0.1)]))
    counting.append(conn)
    counting.append(conn)
    assert conn.execute("select sum(n)::int from pgqueue.tallies").fetchone() == (2,)


@pytest.mark.parametrize("kind", ANY_KIND)
def test_a_worker_says_how_it_is_with_each_heartbeat(
    start: StartThreaded, desk: Desk, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGQUEUE_RELEASE", "4f1a")
    jobs, slots = (2, 3) if kind == "process" else (25, 30)
    worker = start(executor=kind, concurrency=slots, lease=1)
    ids = [desk.send("work_async" if kind == "async" else "work", 2.0) for _ in range(jobs)]

    def told() -> Any:
        report = execute(desk.conn, worker_reports.reports()).get(worker.worker.id)
        return report if report is not None and report.busy == jobs else None

    report = wait_until(told)
    assert len(report.running) == min(jobs, 20)
    assert {job.id for job in report.running} <= set(ids)
    assert (report.slots, report.executor, report.release) == (slots, kind, "4f1a")
    assert report.rss > 1_000_000
    assert len(report.children) == (3 if kind == "process" else 0)
    assert desk.one("select max(octet_length(report::text)) from pgqueue.worker_reports") <= LONGEST


def test_a_report_that_cannot_be_written_costs_no_lease(conn: Conn) -> None:
    conn.autocommit = True
    worker = enlist(conn)
    beat = execute(conn, workers.heartbeat(worker, timedelta(seconds=30), "no json"))
    assert beat.alive
    assert execute(conn, worker_reports.reports()) == {}
    for said in ("[" * 5_000 + "]" * 5_000, json.dumps({"busy": "x", "running": [[1], ["a", 1, 2]], "rss": 2**70})):
        assert execute(conn, workers.heartbeat(worker, timedelta(seconds=30), said)).alive
        report = execute(conn, worker_reports.reports()).get(worker)
        assert report is None or report.busy is None


def test_a_worker_of_the_last_release_beats_as_before(conn: Conn) -> None:
    worker = enlist(conn)
    row = conn.execute("select alive, asked, cancelled from pgqueue.heartbeat(%s, '30 s')", [worker]).fetchone()
    assert row == (True, None, [])
