"""What a job changes in its process is put back before the next job of that process. Promised of child processes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pgqueue.events import ChildEnded
from pgqueue.store import execute, reading
from tests.hostile.arena import APPS, PATIENCE, Arena
from tests.postgres import ROOT
from tests.worker.running import Desk

pytestmark = pytest.mark.faults


def test_the_next_job_finds_the_process_as_the_first_one_found_it(one_child: Arena) -> None:
    clean = one_child.result("leftovers:look")
    child = one_child.result("leftovers:soil")
    assert one_child.result("leftovers:look") == clean
    assert one_child.result("leftovers:speak") == child


def test_a_child_that_cannot_be_put_back_is_replaced(one_child: Arena) -> None:
    child = one_child.result("leftovers:close_its_output")
    assert one_child.result("leftovers:speak") != child
    one_child.check_health()


def test_a_folder_that_is_gone_is_left(one_child: Arena, tmp_path: Path) -> None:
    clean = one_child.result("leftovers:look")
    one_child.result("leftovers:remove_its_folder", str(tmp_path / "gone"))
    assert one_child.result("leftovers:look") == clean


def test_nothing_is_undone_where_nothing_was_changed() -> None:
    code = (
        "import _signal, gc, locale, logging, socket, sys;"
        "from pgqueue.worker.attempts.process_state import ProcessState as S;"
        "s = S(); done = []; note = lambda *given: done.append(given);"
        "_signal.signal = locale.setlocale = sys.setrecursionlimit = note;"
        "socket.setdefaulttimeout = gc.enable = logging.disable = note;"
        "print(s.put_back(), s.put_back(), done)"
    )
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert said.split() == ["True", "True", "[]"]


def test_a_task_that_replaces_itself_goes_on_as_it_was_known(arena: Arena) -> None:
    for _ in range(2):
        assert arena.meet("leftovers:replace_itself").state == "succeeded"


def test_a_retry_is_called_with_what_was_enqueued(arena: Arena) -> None:
    job = arena.meet("leftovers:change_its_arguments", [1, 2, 3], labels={"color": "red"}, max_attempts=3)
    assert (job.state, job.attempt) == ("succeeded", 3), arena.desk.errors(job.id)
    assert execute(arena.desk.conn, reading.result(job.id))[1] == [3, "red"]
    assert job.args == [[1, 2, 3]]
    assert job.labels == {"color": "red"}


def test_a_thread_of_a_job_has_no_current_job_unless_it_is_given_one(arena: Arena) -> None:
    job = arena.meet("leftovers:ask_in_a_thread")
    assert execute(arena.desk.conn, reading.result(job.id))[1] == "UsageError"


def test_no_child_ended_that_need_not(one_child: Arena) -> None:
    before = len(one_child.worker.heard(ChildEnded))
    ids = [one_child.desk.send("tests.hostile.nasty.leftovers:soil", max_attempts=1) for _ in range(3)]
    assert all(one_child.desk.await_state(each, timeout=PATIENCE).state == "succeeded" for each in ids)
    assert len(one_child.worker.heard(ChildEnded)) == before


@pytest.mark.faults
def test_a_job_that_fills_a_pipe_nobody_reads_blocks_itself_alone(desk: Desk, dsn: str, tmp_path: Path) -> None:
    given = {"dsn": dsn, "app": APPS, "concurrency": 2}
    with (tmp_path / "log").open("wb") as log:
        command = [sys.executable, "-m", "tests.worker.program", json.dumps(given)]
        worker = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log)
    try:
        talking = desk.send("tests.hostile.nasty.leftovers:talk", 10, timeout=2, max_attempts=1)
        innocents = [desk.send("work") for _ in range(20)]
        for job_id in innocents:
            assert desk.await_state(job_id, timeout=PATIENCE).attempt == 1
        assert desk.await_state(talking, timeout=PATIENCE).state == "dead"
        assert desk.outcomes(talking) == ["timeout"]
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(PATIENCE) == 0
    finally:
        worker.kill()
        worker.communicate()
