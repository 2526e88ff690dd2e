"""What a job says is kept with its attempt, soon, bounded, and whatever becomes of the attempt."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

import pgqueue
from pgqueue.job_log import MOST_LINES, Said
from pgqueue.record import LogLine
from pgqueue.worker.upkeep.line_keeper import IDLE, MOST_WAITING, LineKeeper
from tests.conftest import Connect
from tests.waiting import wait_until
from tests.worker.running import KINDS, Desk, StartProcess, StartThreaded, lines_of

TASKS = "tests.worker.telling_tasks"


def lines(desk: Desk, job_id: UUID) -> list[LogLine]:
    return pgqueue.job_logs(desk.conn, job_id)


def said(desk: Desk, job_id: UUID) -> list[str]:
    return [line.line for line in lines(desk, job_id)]


def await_lines(desk: Desk, job_id: UUID, most: int = 1) -> list[LogLine]:
    wait_until(lambda: len(lines(desk, job_id)) >= most, 10, f"{most} lines of {job_id}")
    return lines(desk, job_id)


@pytest.mark.parametrize(("kind", "task"), [*((kind, "say") for kind in KINDS), ("async", "say_async")])
def test_what_a_job_says_is_kept_with_its_attempt(start: StartThreaded, desk: Desk, kind: str, task: str) -> None:
    worker = start(executor=kind, app=[TASKS], concurrency=1)
    job = desk.send(f"{TASKS}:{task}", "hello")
    assert desk.await_state(job).state == "succeeded"
    worker.stop()
    found = lines(desk, job)
    assert [(line.attempt, line.seq, line.level, line.line) for line in found] == [
        (attempt, seq, level, words)
        for attempt in (1, 2)
        for seq, level, words in ((1, "info", "said hello"), (2, "warning", "and warned"))
    ]
    assert len({line.claim for line in found}) == 2
    assert pgqueue.job_logs(desk.conn, job, attempt=2, level="warning") == found[-1:]
    assert pgqueue.job_logs(desk.conn, job, limit=2, after=found[0]) == found[1:3]


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_job_says_can_be_read_while_it_runs(start: StartThreaded, desk: Desk, kind: str, tmp_path: Path) -> None:
    start(executor=kind, app=[TASKS], concurrency=1)
    job = desk.send(f"{TASKS}:say_and_wait", str(tmp_path / "go"))
    (line,) = await_lines(desk, job)
    assert (line.line, desk.job(job).state) == ("waiting", "running")
    (tmp_path / "go").touch()
    desk.await_state(job, "succeeded")


def test_what_was_said_before_a_crash_is_kept(start: StartThreaded, desk: Desk, tmp_path: Path) -> None:
    start(app=[TASKS], concurrency=1)
    job = desk.send(f"{TASKS}:say_and_die", str(tmp_path / "go"))
    await_lines(desk, job)
    (tmp_path / "go").touch()
    desk.await_state(job, "dead")
    assert desk.outcomes(job) == ["crashed"]
    assert said(desk, job) == ["waiting"]


@pytest.mark.faults
def test_a_worker_that_is_killed_takes_the_last_seconds_alone_with_it(
    spawn: StartProcess, desk: Desk, tmp_path: Path
) -> None:
    path = tmp_path / "said"
    worker = spawn(app=[TASKS], concurrency=1)
    job = desk.send(f"{TASKS}:say_often", str(path), 30)
    wait_until(lambda: len(lines_of(path)) > 40, 30, "forty lines")
    killed_at = time.time()
    worker.signal(signal.SIGKILL)
    worker.wait()
    wrote = [line.split() for line in lines_of(path)]
    # A second for those that are gathered; the rest for a machine that is busy.
    expected = [number for at, number in wrote if float(at) < killed_at - 3]
    assert len(expected) > 5
    kept = said(desk, job)
    assert kept == [str(number) for number in range(1, len(kept) + 1)]
    assert len(kept) >= len(expected)


@pytest.mark.parametrize("kind", KINDS)
def test_a_flood_is_cut_and_says_so(start: StartThreaded, desk: Desk, kind: str) -> None:
    worker = start(executor=kind, app=[TASKS], concurrency=1)
    job = desk.send(f"{TASKS}:say_much", 3 * MOST_LINES)
    desk.await_state(job, "succeeded")
    worker.stop()
    found = pgqueue.job_logs(desk.conn, job, limit=2 * MOST_LINES)
    assert [line.line for line in found[:-1]] == [f"line {number}" for number in range(MOST_LINES)]
    assert (found[-1].seq, found[-1].level) == (MOST_LINES + 1, "warning")
    assert "is not kept" in found[-1].line


def test_a_timeout_amid_a_line_tears_nothing(start: StartThreaded, desk: Desk) -> None:
    worker = start(app=[TASKS], concurrency=1)
    loops = [desk.send(f"{TASKS}:say_for_ever") for _ in range(4)]
    last = desk.send(f"{TASKS}:say_much", 1)
    desk.await_all_ended()
    worker.stop()
    assert [desk.outcomes(job) for job in loops] == [["timeout"]] * 4
    assert said(desk, last) == ["line 0"]


def test_what_sounds_like_a_secret_is_not_kept(start: StartThreaded, desk: Desk) -> None:
    worker = start(executor="thread", app=[TASKS], concurrency=1)
    job = pgqueue.enqueue(desk.conn, f"{TASKS}:tell_a_secret", {"password": "hunter22", "name": "ann"}).id
    desk.await_state(job, "succeeded")
    worker.stop()
    assert said(desk, job) == ["ann has '•••••'", "the url is postgresql://ann:•••••@db/shop, and token=•••••"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_task_logs_is_kept_if_asked_for(
    start: StartThreaded, desk: Desk, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    # In this process pytest has configured logging, and chosen the level.
    caplog.set_level("INFO")
    worker = start(executor=kind, app=[TASKS], concurrency=1, store_logs="info")
    logs, warns, nothing = (
        desk.send(f"{TASKS}:log_it", "it"),
        desk.send(f"{TASKS}:log_warnings"),
        desk.send(f"{TASKS}:log_nothing"),
    )
    by_handler = desk.send(f"{TASKS}:log_by_a_handler")
    desk.await_all_ended()
    worker.stop()
    assert [(line.level, line.line.split("\n")[0]) for line in lines(desk, logs)] == [
        ("info", "logged it"),
        ("error", "failed"),
    ]
    assert "KeyError: 'it'" in lines(desk, logs)[-1].line
    assert (said(desk, warns), said(desk, nothing)) == (["but this"], [])
    assert said(desk, by_handler) == ["by a handler"]


def test_a_handler_keeps_what_it_is_given_where_nobody_asks_for_all(start: StartThreaded, desk: Desk) -> None:
    worker = start(app=[TASKS], concurrency=1)
    logs, by_handler = desk.send(f"{TASKS}:log_it", "it"), desk.send(f"{TASKS}:log_by_a_handler")
    desk.await_all_ended()
    worker.stop()
    assert (said(desk, logs), said(desk, by_handler)) == ([], ["by a handler"])


class Keeper:
    """A keeper, who woke it, and what it told."""

    def __init__(self) -> None:
        self.rings = 0
        self.told: list[Any] = []
        self.keeper = LineKeeper(self.told.append, self._ring)

    def _ring(self) -> None:
        self.rings += 1

    def put(self, job: UUID, count: int) -> None:
        for seq in range(1, count + 1):
            self.keeper.put(Said(job, 1, 1, seq, time.time(), "info", f"line {seq}"))
        self.keeper.ring()


def test_where_nobody_says_anything_no_statement_is_sent(db: psycopg.Connection[Any]) -> None:
    bench = Keeper()
    db.close()
    bench.keeper.ring()
    assert (bench.keeper.look(db), bench.rings) == (IDLE, 0)
    bench.keeper.flush(db)


def test_lines_that_a_lost_connection_swallowed_are_written_by_the_next_and_once(connect: Connect) -> None:
    bench, job = Keeper(), pgqueue.enqueue(connect(), "shop:send").id
    lost, whole = connect(autocommit=True), connect(autocommit=True)
    bench.put(job, 3)
    whole.execute("select pg_terminate_backend(%s, 5000)", [lost.info.backend_pid])
    with pytest.raises(psycopg.OperationalError):
        bench.keeper.flush(lost)
    bench.keeper.flush(whole)
    assert [line.line for line in pgqueue.job_logs(whole, job)] == ["line 1", "line 2", "line 3"]
    assert (bench.told, bench.rings) == ([], 1)


def test_lines_that_the_database_refuses_are_dropped_and_told_of(connect: Connect) -> None:
    bench, conn = Keeper(), connect(autocommit=True)
    bench.put(pgqueue.enqueue(connect(), "shop:send").id, 3)
    conn.execute("alter table pgqueue.job_logs add constraint nothing check (false) not valid")
    with pytest.raises(psycopg.errors.CheckViolation):
        bench.keeper.flush(conn)
    bench.keeper.flush(conn)
    assert ["3 lines" in event.error for event in bench.told] == [True]


def test_what_waits_for_a_database_that_is_away_is_bounded() -> None:
    bench = Keeper()
    bench.put(UUID(int=1), MOST_WAITING + 5)
    assert (len(bench.keeper._waiting), bench.keeper._dropped) == (MOST_WAITING, 5)
