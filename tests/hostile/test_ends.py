"""Jobs that end, copy or maim their process. Only child processes contain that; threads share the worker's fate."""

from __future__ import annotations

import os
import pickle
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.hostile.arena import Arena
from tests.waiting import wait_until
from tests.worker.running import is_alive, lines_of

pytestmark = pytest.mark.faults
SECONDS = 20.0


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("exit_hard", "exit code 3"),
        ("exit_as_if_all_were_well", "exit code 0"),
        ("segfault", "signal 11 (SIGSEGV)"),
        ("abort", "signal 6 (SIGABRT)"),
        ("kill_itself", "signal 9 (SIGKILL)"),
        ("kill_its_group", "signal 15 (SIGTERM)"),
    ],
)
def test_a_job_that_ends_its_process_costs_its_own_attempt(children: Arena, how: str, said: str) -> None:
    job = children.meet(f"ends:{how}")
    assert children.end_of(job)[0] == "crashed"
    assert said in (job.last_error or "")


@pytest.mark.parametrize(
    ("how", "state"),
    [("fork_and_return", "succeeded"), ("fork_and_return_async", "succeeded"), ("fork_and_raise", "succeeded")],
)
def test_a_job_that_forks_and_returns_twice_is_written_down_once(
    arena: Arena, how: str, state: str, tmp_path: Path
) -> None:
    job = arena.meet(f"ends:{how}", str(tmp_path / "ends"))
    assert job.state == state
    _await_copy(tmp_path / "ends")
    assert arena.desk.outcomes(job.id) == [state]
    arena.check_health()


@pytest.mark.parametrize("how", ["fork_in_a_transaction", "fork_in_a_transaction_async"])
def test_a_transaction_that_is_forked_commits_once(arena: Arena, how: str, tmp_path: Path) -> None:
    value = 100 + len(how)
    job = arena.meet(f"ends:{how}", str(tmp_path / "ends"), value)
    assert job.state == "succeeded"
    _await_copy(tmp_path / "ends")
    assert arena.desk.one("select count(*) from effects where value = %s", value) == 1
    assert arena.desk.outcomes(job.id) == ["succeeded"]


def test_a_forked_copy_cannot_reach_the_connection_of_the_original(arena: Arena, tmp_path: Path) -> None:
    job = arena.meet("ends:fork_and_use_the_connection", str(tmp_path / "flag"), 200)
    assert job.state == "succeeded"
    assert arena.desk.values("select value from effects where value in (-1, 200)") == [200]


@pytest.mark.parametrize("then", ["nothing", "files", "sockets", "talking sockets"])
def test_a_job_that_closes_all_files_costs_its_own_child(children: Arena, then: str) -> None:
    job = children.meet("ends:close_all_files", then)
    assert children.end_of(job)[0] == "crashed"
    assert "closed its channel" in (job.last_error or "")


@pytest.mark.parametrize("then", ["nothing", "sockets"])
def test_a_transaction_whose_socket_was_closed_is_rolled_back(children: Arena, then: str) -> None:
    job = children.meet("ends:close_all_files_in_a_transaction", then)
    assert job.state == "dead"
    assert children.desk.values("select value from effects where value = -2") == []


@pytest.mark.parametrize(
    "garbage",
    [
        "GARBAGE" * 100 + "\n",
        "\0\0\0\5hello\n",
        "[" * 100_000 + "\n",
        "[12,99999999999999]\n",
        "[6,[1,0.0,null],1]\n",
        '[6,null,"x"]\n',
        "[7,[0,1,2,3,4,5,6,7,8,9]]\n",
        "[4]\n",
        '[5,"the app is broken"]\n',
        '[11,["shop:send",{},"Backoff",{},null,null]]\n',
        "[99]\n",
    ],
)
def test_garbage_on_the_channel_costs_the_child_that_sent_it(children: Arena, garbage: str) -> None:
    job = children.meet("ends:write_garbage", garbage)
    assert children.end_of(job)[0] == "crashed"


def test_a_pickle_on_the_channel_is_never_opened(children: Arena, tmp_path: Path) -> None:
    bomb = pickle.dumps(Bomb(str(tmp_path / "fell")))
    for frame in (bomb + b"\n", len(bomb).to_bytes(4, "big") + bomb + b"\n"):
        job = children.meet("ends:write_bytes", frame.hex())
        assert children.end_of(job)[0] == "crashed"
    assert not (tmp_path / "fell").exists()


class Bomb:
    """Writes a file where it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (Path(self.path),)


def test_a_job_that_reads_what_is_meant_for_its_child_keeps_no_job_from_running(one_child: Arena) -> None:
    assert one_child.meet("ends:listen_in").state == "succeeded"
    for _ in range(5):
        one_child.check_health()


def test_processes_that_a_job_left_behind_end_with_its_child_unless_they_have_a_session_of_their_own(
    one_child: Arena, tmp_path: Path
) -> None:
    assert one_child.meet("ends:leave_processes_behind", str(tmp_path / "pids")).state == "succeeded"
    child, near, far = map(int, (tmp_path / "pids").read_text().split())
    assert is_alive(near)
    os.kill(child, signal.SIGKILL)
    try:
        wait_until(lambda: not is_alive(near), SECONDS, "the end of the near process")
        assert is_alive(far)
    finally:
        with suppress(ProcessLookupError):
            os.kill(far, signal.SIGKILL)
    one_child.check_health()


@pytest.mark.parametrize("daemon", [True, False])
def test_threads_that_a_job_left_behind_hold_nobody_up(children: Arena, daemon: bool) -> None:
    assert children.meet("ends:leave_threads_behind", daemon).state == "succeeded"


@pytest.mark.parametrize("how", ["regex", "sum", "pow"])
def test_a_job_that_never_lets_go_of_the_gil_is_ended_at_its_timeout(children: Arena, how: str) -> None:
    job = children.meet("ends:hold_the_gil", how, timeout=0.2)
    assert children.end_of(job)[0] == "timeout"


def _await_copy(path: Path) -> None:
    """Return when the copy has written its line, and ended."""
    lines = wait_until(lambda: len(lines_of(path)) >= 2 and lines_of(path), SECONDS, "two lines")
    (copy,) = [int(line.split()[1]) for line in lines if line.startswith("copy")]
    wait_until(lambda: not is_alive(copy), SECONDS, "the end of the copy")
