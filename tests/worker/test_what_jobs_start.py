"""What a job starts behaves as if a plain Python program had started it, under every executor and in the foreground."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from pgqueue.store import execute, reading
from tests.postgres import ROOT
from tests.waiting import wait_until
from tests.worker import starting_others
from tests.worker.running import Desk, lines_of

MODULE = "tests.worker.starting_others"
WAYS = ("process", "thread", "async", "foreground")
# A worker runs jobs of thread and async in itself.
USUAL_WAYS = [pytest.param(way, marks=[pytest.mark.faults] if way == "async" else []) for way in WAYS]
# A secret that must not reach what a job starts.
SECRET = "hunter2"

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="looks at /proc")


@pytest.fixture
def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PGQUEUE_DSN"}


def result(desk: Desk, dsn: str, environment: dict[str, str], way: str, target: str, *args: Any) -> Any:
    """What a job returns, of a worker that was told its DSN as an option."""
    job_id = desk.send(f"{MODULE}:{target}", *args, store_result=True, max_attempts=1)
    with_secret = f"{dsn} password={SECRET}"
    words = ["jobs", "run", str(job_id)] if way == "foreground" else ["worker", "-x", way, "-c", "1", "--burst"]
    ended = subprocess.run(
        [sys.executable, "-m", "pgqueue", *words, "-A", MODULE, "--dsn", with_secret],
        cwd=ROOT,
        env={**environment, "NOTIFY_SOCKET": "/nowhere"} if way == "process" else environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    assert desk.job(job_id).state == "succeeded", desk.errors(job_id)
    return execute(desk.conn, reading.result(job_id))[1]


@pytest.mark.parametrize("way", USUAL_WAYS)
def test_a_program_that_a_job_starts_finds_a_plain_process(
    desk: Desk, dsn: str, environment: dict[str, str], way: str
) -> None:
    plain = subprocess.run(
        [sys.executable, "-c", f"import json; from {MODULE} import *; print(json.dumps(look_from_a_program()))"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert result(desk, dsn, environment, way, "look_from_a_program") == json.loads(plain.stdout)


@pytest.mark.parametrize("way", USUAL_WAYS)
def test_a_copy_has_the_handlers_of_python_alone_and_no_socket_of_ours(
    desk: Desk, dsn: str, environment: dict[str, str], way: str
) -> None:
    found = result(desk, dsn, environment, way, "look_from_a_copy")
    assert found["handled"] == [signal.SIGINT]
    # An event loop wakes itself by a pair of sockets.
    assert len(found["sockets"]) <= (2 if way == "async" else 0)


@pytest.mark.parametrize("way", USUAL_WAYS)
@pytest.mark.parametrize("method", ["fork", pytest.param("spawn", marks=pytest.mark.faults)])
def test_a_process_of_multiprocessing_ends_when_it_is_told(
    desk: Desk, dsn: str, environment: dict[str, str], way: str, method: str
) -> None:
    assert result(desk, dsn, environment, way, "terminate", method) == -signal.SIGTERM


@pytest.mark.parametrize("way", ["process", *(pytest.param(way, marks=pytest.mark.faults) for way in WAYS[1:])])
def test_a_process_of_multiprocessing_hears_an_interrupt(
    desk: Desk, dsn: str, environment: dict[str, str], way: str
) -> None:
    assert result(desk, dsn, environment, way, "interrupt", "fork") == 42


@pytest.mark.parametrize("way", USUAL_WAYS)
def test_a_job_delays_another_to_the_database_that_it_came_from(
    desk: Desk, dsn: str, environment: dict[str, str], way: str
) -> None:
    result(desk, dsn, environment, way, "delay_another")
    query = "select count(*) from pgqueue.job where target = %s"
    assert desk.one(query, f"{MODULE}:{starting_others.follow.function.__name__}") == 1


@pytest.mark.parametrize("kind", ["thread", "async"])
def test_a_copy_that_outlives_its_worker_holds_no_session_and_no_port_of_it(
    desk: Desk, dsn: str, tmp_path: Path, environment: dict[str, str], kind: str
) -> None:
    path = tmp_path / "pid"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = ["-A", MODULE, "-x", kind, "-c", "1", "--dsn", dsn, "--health-port", str(port)]
    worker = subprocess.Popen([sys.executable, "-m", "pgqueue", "worker", *options], cwd=ROOT, env=environment)
    try:
        desk.send(f"{MODULE}:outlive", str(path))
        wait_until(lambda: lines_of(path), 20, "the copy")
        assert desk.backends()
        worker.kill()
        worker.wait()
        # The server notices that nobody holds the other end, though the copy lives.
        wait_until(lambda: not desk.backends(), 10, "the end of the worker's sessions")
        os.kill(int(path.read_text()), 0)
        # Nor its port, which the next worker will want.
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), 5)
    finally:
        worker.kill()
        worker.wait()
        with suppress(ProcessLookupError, ValueError, FileNotFoundError):
            os.kill(int(path.read_text()), signal.SIGKILL)
