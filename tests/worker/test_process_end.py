"""The process of a worker ends in its time, with its exit code, whatever its jobs have left running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.postgres import ROOT
from tests.waiting import wait_until
from tests.worker.running import TWO_KINDS, Desk, await_end, children_of, is_alive, lines_of

LEAVING = "tests.worker.leaving"
SHUTDOWN = 0.5
# What an end may take beyond the timeout, and what a busy machine needs.
MORE = 2.0 + 6.0

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start(dsn: str) -> Iterator[Start]:
    """Start a worker as people do, and end it after the test, with what is left of its processes."""
    started: list[subprocess.Popen[bytes]] = []

    def start(kind: str, *words: str) -> subprocess.Popen[bytes]:
        options = ["-A", LEAVING, "-x", kind, "-c", "2", "--shutdown-timeout", f"{SHUTDOWN}s", *words]
        command = [sys.executable, "-m", "pgqueue", "worker", *options]
        started.append(
            subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PGQUEUE_DSN": dsn}, start_new_session=True)
        )
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def written(path: Path) -> Path:
    wait_until(lambda: lines_of(path), 20, "a job that has begun")
    return path


def stopped(worker: subprocess.Popen[bytes]) -> int:
    """Its exit code, in its time; nothing of it is left."""
    children = children_of(worker.pid)
    worker.send_signal(signal.SIGTERM)
    code = worker.wait(SHUTDOWN + MORE)
    await_end(children, 5)
    return code


@pytest.mark.parametrize("kind", TWO_KINDS)
@pytest.mark.parametrize("what", ["thread", "pool", "process", "processes", "hook", "pipe"])
def test_a_stopped_worker_ends_whatever_a_job_left_running(
    start: Start, desk: Desk, tmp_path: Path, kind: str, what: str
) -> None:
    worker = start(kind)
    job_id = desk.send(f"{LEAVING}:leave", what, str(tmp_path / "pid"))
    desk.await_state(job_id, timeout=20)
    assert stopped(worker) == 0
    assert desk.workers() == []


@pytest.mark.parametrize("kind", TWO_KINDS)
def test_what_a_job_wrote_into_a_file_that_it_left_open_is_written_at_the_end(
    start: Start, desk: Desk, tmp_path: Path, kind: str
) -> None:
    worker = start(kind)
    desk.await_state(desk.send(f"{LEAVING}:note", str(tmp_path / "notes")), "succeeded", timeout=20)
    assert (tmp_path / "notes").read_text() == ""
    assert stopped(worker) == 0
    assert (tmp_path / "notes").read_text() == "noted"


@pytest.mark.parametrize("kind", TWO_KINDS)
@pytest.mark.parametrize("name", ["wait_in_pool", "wait_in_thread"])
def test_a_stopped_worker_ends_whatever_a_job_waits_for(
    start: Start, desk: Desk, tmp_path: Path, kind: str, name: str
) -> None:
    worker = start(kind)
    job_id = desk.send(f"{LEAVING}:{name}", str(tmp_path / "pid"))
    written(tmp_path / "pid")
    assert stopped(worker) == 0
    assert desk.workers() == []
    assert desk.outcomes(job_id) == ["released"]


@pytest.mark.faults
@pytest.mark.parametrize("kind", ["thread", "async"])
def test_a_retired_worker_ends_so_that_another_is_started(start: Start, desk: Desk, tmp_path: Path, kind: str) -> None:
    worker = start(kind)
    desk.send(f"{LEAVING}:wait_in_pool", str(tmp_path / "pid"), timeout=0.3, max_attempts=1)
    written(tmp_path / "pid")
    assert worker.wait(30) == 75
    assert not is_alive(worker.pid)


def test_a_child_that_is_recycled_ends_whatever_a_job_left_running(start: Start, desk: Desk, tmp_path: Path) -> None:
    start("process", "--max-jobs-per-child", "1")
    for what in ("thread", "hook"):
        desk.send(f"{LEAVING}:leave", what, str(tmp_path / what))
    pids = [int(written(tmp_path / what).read_text()) for what in ("thread", "hook")]
    await_end(pids, 10)


def test_the_end_of_a_process_runs_what_was_to_run_then() -> None:
    code = (
        "import atexit, threading, time\nfrom pgqueue.worker import end_process\n"
        "atexit.register(print, 'hook')\n"
        "threading.Thread(target=lambda: (time.sleep(0.1), print('thread'))).start()\n"
        "print('main')\nend_process(7)"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout.split()) == (7, ["main", "thread", "hook"])


def test_a_hook_that_raises_changes_no_exit_code() -> None:
    code = (
        "import atexit, sys\nfrom pgqueue.worker import end_process\n"
        "atexit.register(sys.exit, 5)\natexit.register(lambda: 1 / 0)\nend_process(7)"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 7
    assert "ZeroDivisionError" in ended.stderr


@pytest.mark.parametrize(("raised", "code"), [("SystemExit(3)", 3), ("SystemExit('no')", 1), ("LookupError('x')", 1)])
def test_a_command_ends_with_the_code_that_python_would_give_it(raised: str, code: int) -> None:
    program = f"import pgqueue.cli.app as app\ndef broken(): raise {raised}\napp.main = broken\napp.run()"
    began = time.monotonic()
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == code
    assert (ended.stderr != "") == (raised != "SystemExit(3)")
    assert time.monotonic() - began < 30
