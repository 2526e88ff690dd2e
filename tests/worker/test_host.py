"""What this machine lacks is no outage of the database: a worker that cannot go on for it ends, for another process."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
import threading

import psycopg
import pytest

from pgqueue.errors import DatabaseUnreachable, HostExhausted
from pgqueue.events import HostFailed
from pgqueue.host import lack_for_connection, lack_of
from pgqueue.store.connection import open_connection
from pgqueue.worker.supervision.infra import MOST_FAILURES, HostFailures
from tests.postgres import ROOT
from tests.waiting import wait_until
from tests.worker import mishaps
from tests.worker.running import ANY_KIND, ERRANDS, TWO_KINDS, Desk, StartProcess, is_alive

MISHAPS = mishaps.__name__
HARD = resource.getrlimit(resource.RLIMIT_NOFILE)[1]

pytestmark = pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="the limits of another process, Linux alone")


def use_up_files(pid: int) -> None:
    """From now on the process can open nothing; what is open stays."""
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, HARD))


@pytest.mark.parametrize("kind", TWO_KINDS)
def test_a_worker_that_can_open_nothing_retires(spawn: StartProcess, desk: Desk, kind: str) -> None:
    worker = spawn(executor=kind)
    desk.await_idle()
    use_up_files(worker.pid)
    for pid in desk.backends():
        desk.conn.execute("select pg_terminate_backend(%s)", [pid])
    assert worker.wait(30) == 75
    said = worker.heard("this machine has run out of something")
    assert len(said) >= MOST_FAILURES
    assert os.strerror(errno.EMFILE) in said[0]["error"]
    (stopping,) = worker.heard("worker stopping")
    assert "this machine has run out of something that the" in stopping["why"]


def test_a_worker_that_can_start_no_child_retires(spawn: StartProcess, desk: Desk) -> None:
    worker = spawn(executor="process")
    desk.await_idle()
    use_up_files(worker.pid)
    for child in worker.children:
        os.kill(child, signal.SIGKILL)
    assert worker.wait(30) == 75
    assert {line["role"] for line in worker.heard("this machine has run out of something")} >= {"process executor"}
    # Its connections were there: what it held is given back, and its row is gone.
    wait_until(lambda: not is_alive(worker.pid))


@pytest.mark.parametrize("kind", ANY_KIND)
def test_a_worker_that_cannot_begin_for_want_of_files_is_to_be_started_again(dsn: str, kind: str) -> None:
    words = f"{sys.executable} -m pgqueue worker -A {ERRANDS} -x {kind} -c 2 --dsn '{dsn}'"
    ended = subprocess.run(["sh", "-c", f"ulimit -n 8; exec {words}"], cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 75, ended.stderr
    assert "this machine has run out of something" in ended.stderr or "Too many open files" in ended.stderr


@pytest.mark.parametrize("kind", ["thread", "async"])
def test_a_worker_that_can_start_no_thread_stops_all_the_same(spawn: StartProcess, desk: Desk, kind: str) -> None:
    worker = spawn(executor=kind, app=[ERRANDS, MISHAPS])
    job_id = desk.send(f"{MISHAPS}:use_up_threads")
    assert desk.await_state(job_id).state == "succeeded"
    worker.signal(signal.SIGTERM)
    assert worker.wait(30) == 0
    assert desk.workers() == []


def test_a_connection_for_which_no_file_is_left_is_not_the_databases_fault(dsn: str) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        with pytest.raises(HostExhausted, match=r"no connection to .*this machine has run out of something"):
            open_connection(dsn, "test")
        # Not even a name can be looked up then.
        with pytest.raises(HostExhausted):
            open_connection("host=nowhere.invalid", "test")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_database_that_is_away_is_not_this_machines_fault() -> None:
    with pytest.raises(DatabaseUnreachable) as raised:
        open_connection("host=127.0.0.1 port=1", "test")
    assert type(raised.value) is DatabaseUnreachable


def test_what_the_server_lacks_is_not_what_this_machine_lacks() -> None:
    said = f"connection failed: FATAL:  could not open file: {os.strerror(errno.EMFILE)}"
    assert lack_for_connection(psycopg.OperationalError(said)) is None
    assert lack_for_connection(psycopg.OperationalError(f"x: {os.strerror(errno.EMFILE)}")) == "Too many open files"


@pytest.mark.parametrize(
    ("error", "lacks"),
    [
        (OSError(errno.ENOSPC, "x"), True),
        (OSError(errno.ENFILE, "x"), True),
        (MemoryError(), True),
        (BlockingIOError(errno.EAGAIN, "x"), False),
        (OSError(errno.ECONNREFUSED, "x"), False),
        (RuntimeError("can't start new thread"), False),
        (ValueError(), False),
    ],
)
def test_an_error_tells_what_this_machine_lacks(error: Exception, lacks: bool) -> None:
    assert (lack_of(error) is not None) == lacks
    caused = LookupError()
    caused.__cause__ = error
    assert (lack_of(caused) is not None) == lacks


def test_a_fork_or_a_thread_that_is_refused_tells_it_too() -> None:
    assert lack_of(BlockingIOError(errno.EAGAIN, "x"), forking=True)
    before = threading.stack_size(1 << 47)
    try:
        with pytest.raises(RuntimeError) as raised:
            threading.Thread(target=print).start()
    finally:
        threading.stack_size(before)
    assert lack_of(raised.value, forking=True) == "no thread can be started"


def test_once_in_a_while_retires_nobody() -> None:
    retired: list[str] = []
    failures = HostFailures(retired.append)
    for _ in range(MOST_FAILURES - 1):
        failures.hear(HostFailed("claimer", "no file"))
    assert retired == []
    failures.hear(HostFailed("claimer", "no file"))
    assert retired == ["this machine has run out of something that the claimer needs: no file"]
