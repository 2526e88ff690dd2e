"""The executors: what they report, what they give back, and what a crash costs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pgqueue.errors import AppError
from pgqueue.events import ChildEnded, Finished, Trouble
from pgqueue.job import Claim
from pgqueue.outcome import Move
from pgqueue.tasks import Modules
from pgqueue.worker.executors import EXECUTORS, Settings
from pgqueue.worker.executors.process.executor import ProcessExecutor
from tests.worker.benches import KINDS, LIMIT, Bench, Make, children_of, is_alive, wait_until
from tests.worker.claims import TASKS, claim


@pytest.mark.parametrize("kind", KINDS)
def test_every_claim_is_reported_once(make: Make, kind: str) -> None:
    bench = make(kind)
    claims = [claim("give" if number % 2 else "give_async", number, store_result=True) for number in range(500)]
    assert [done.result for done in bench.run(claims)] == [str(number) for number in range(500)]
    wait_until(lambda: bench.executor.load() == 0)
    assert len(bench.finished) == 500


@pytest.mark.parametrize("kind", KINDS)
def test_bad_jobs_hurt_nobody_else(make: Make, kind: str) -> None:
    bench = make(kind)
    bad = [
        claim("raise_builtin", "SystemExit"),
        claim("raise_builtin", "KeyboardInterrupt"),
        claim("raise_in_subtask"),
        claim("recurse"),
        claim("give", args="[1"),
        claim("", target="os:system"),
        claim("nowhere"),
        claim("give", 1, 2, 3),
        claim("unstorable", store_result=True),
    ]
    done = bench.run([*bad, *(claim("give", 1, store_result=True) for _ in range(20))])
    assert [each.move for each in done[: len(bad)]] == [
        *(Move.RETRY, Move.RETRY, Move.RETRY, Move.RETRY),
        *(Move.END, Move.END, Move.PARK, Move.END, Move.END),
    ]
    assert {each.result for each in done[len(bad) :]} == {"1"}


@pytest.mark.parametrize("kind", KINDS)
def test_middleware_and_context_reach_every_kind(make: Make, kind: str) -> None:
    bench = make(kind, middleware=(f"{TASKS}:swallowing",))
    described, failed = bench.run([claim("describe", store_result=True, timeout=50), claim("fail", "x")])
    assert '"left":50' in (described.result or "")
    assert failed.move is Move.SUCCEED


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("settings", "fault"),
    [({"apps": ("nowhere_at_all",)}, "cannot import nowhere_at_all"), ({"middleware": ("a:b",)}, "middleware a:b")],
)
def test_an_app_that_cannot_be_imported_is_an_error_at_the_start(kind: str, settings: Any, fault: str) -> None:
    bench = Bench(kind, **settings)
    with pytest.raises(AppError, match=fault):
        bench.executor.start()


@pytest.mark.parametrize("kind", KINDS)
def test_claims_that_wait_too_long_are_given_back_unstarted(make: Make, kind: str, tmp_path: Path) -> None:
    bench = make(kind, 1)
    bench.executor.submit([claim("append", str(tmp_path / "first"), "x", 3.0)])
    wait_until((tmp_path / "first").exists)
    late = [claim("append", str(tmp_path / "second"), "x") for _ in range(3)]
    bench.executor.submit(late)
    assert bench.executor.give_back(60.0) == []
    back: list[Claim] = []
    wait_until(lambda: back.extend(bench.executor.give_back(0.0)) or len(back) == 3)  # type: ignore[func-returns-value]
    assert {each.id for each in back} == {each.id for each in late}
    assert bench.executor.load() == 1
    wait_until(lambda: bench.finished)
    assert not (tmp_path / "second").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_stop_lets_running_jobs_finish_and_starts_none(make: Make, kind: str) -> None:
    bench = make(kind, 1)
    claims = [claim("nap", 0.5), *(claim("nap", 5.0) for _ in range(3))]
    bench.executor.submit(claims)
    time.sleep(0.3)
    left = bench.executor.stop(3.0)
    assert [each.claim.id for each in bench.finished] == [claims[0].id]
    assert {(each.claim.id, each.started) for each in left} == {(each.id, False) for each in claims[1:]}
    assert bench.executor.stop(3.0) == []


@pytest.mark.parametrize("kind", KINDS)
def test_stop_hands_over_what_does_not_finish_in_time(make: Make, kind: str) -> None:
    bench = make(kind, 1)
    stuck = claim("nap_async" if kind == "async" else "nap", 30.0)
    bench.executor.submit([stuck])
    time.sleep(0.4)
    began = time.monotonic()
    left = bench.executor.stop(0.2)
    assert time.monotonic() - began < 3
    assert [(each.claim.id, each.started) for each in left] == [(stuck.id, True)]
    assert bench.finished == []
    assert bench.children == set()


@pytest.mark.parametrize("kind", KINDS)
def test_kill_reports_nothing_more(make: Make, kind: str) -> None:
    bench = make(kind)
    bench.executor.submit([claim("nap_async", 0.3) for _ in range(4)])
    time.sleep(0.1)
    bench.executor.kill()
    time.sleep(0.5)
    assert bench.finished == []
    assert bench.children == set()


def test_the_event_loop_survives_a_blocked_job_and_sync_tasks_do_not_block_it(make: Make) -> None:
    bench = make("async", 4)
    slow, *quick = claims = [claim("nap", 0.5), *(claim("give_async", 1) for _ in range(20))]
    bench.run(claims)
    order = [each.claim.id for each in bench.finished]
    assert order[-1] == slow.id
    assert set(order[:-1]) == {each.id for each in quick}


def test_coroutines_run_side_by_side(make: Make) -> None:
    bench = make("async", 100)
    began = time.monotonic()
    bench.run([claim("nap_async", 0.3) for _ in range(100)])
    assert time.monotonic() - began < 2


# Child processes.


@pytest.mark.parametrize(("how", "said"), [("exit", "exit code 7"), ("segfault", "signal 11 (SIGSEGV)")])
def test_a_child_that_dies_costs_one_attempt_only(make: Make, how: str, said: str) -> None:
    bench = make("process", 1)
    claims = [claim("give", 1), claim("end_process", how), *(claim("give", 2) for _ in range(50))]
    done = bench.run(claims)
    assert (done[1].outcome, done[1].move) == ("crashed", Move.RETRY)
    assert said in (done[1].error or "")
    assert {each.outcome for each in (done[0], *done[2:])} == {"succeeded"}
    assert [type(event) for event in bench.events] == [ChildEnded]


def test_the_third_crash_in_a_row_is_poison(make: Make) -> None:
    (done,) = make("process", 1).run([claim("end_process", "exit", crashes=2)])
    assert (done.move, done.reason) == (Move.END, "poison")


def test_a_crash_is_judged_by_the_policy_of_its_task(make: Make) -> None:
    bench = make("process", 1)
    first, last = bench.run([claim("end_process_with_policy"), claim("end_process_with_policy", attempt=2)])
    assert 33 <= first.delay <= 36.3
    assert last.reason == "exhausted"


def test_a_killed_child_is_replaced(make: Make) -> None:
    bench = make("process", 2)
    bench.run([claim("nothing")])
    before = bench.children
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: len(bench.children - before) == 2)
    bench.finished.clear()
    assert {each.outcome for each in bench.run([claim("give", 1) for _ in range(20)])} == {"succeeded"}


def test_what_was_fed_behind_a_long_job_runs_elsewhere(make: Make) -> None:
    bench = make("process", 2)
    bench.run([claim("nothing") for _ in range(2000)])
    bench.finished.clear()
    # Fed ahead generously by now; one of the two children is busy for long with short ones behind.
    bench.executor.submit([claim("nap", 8.0), *(claim("nothing") for _ in range(100))])
    began = time.monotonic()
    wait_until(lambda: len(bench.finished) == 100)
    assert time.monotonic() - began < 4


def test_no_wake_up_is_lost(make: Make) -> None:
    bench = make("process", 8)
    claims = [claim("nothing") for _ in range(64_000)]
    for start in range(0, len(claims), 256):
        bench.executor.submit(claims[start : start + 256])
        wait_until(lambda: bench.executor.load() < 4_000)
    wait_until(lambda: len(bench.finished) == len(claims))
    # An idle executor sleeps for seconds: a ring that was lost on the way would show now.
    began = time.monotonic()
    bench.run([claim("nothing")])
    assert time.monotonic() - began < 2


def test_children_use_every_slot(make: Make) -> None:
    bench = make("process", 4)
    began = time.monotonic()
    bench.run([claim("nap", 0.5) for _ in range(8)])
    assert time.monotonic() - began < 2.5


def test_a_child_has_no_stdin_and_a_session_of_its_own(make: Make) -> None:
    bench = make("process", 1)
    (done,) = bench.run([claim("read_stdin", store_result=True)])
    assert done.result == '""'
    (child,) = bench.children
    assert os.getsid(child) == child != os.getsid(0)
    os.kill(child, signal.SIGINT)
    os.kill(child, signal.SIGTSTP)
    bench.finished.clear()
    assert bench.run([claim("nothing")])[0].outcome == "succeeded"
    assert bench.events == []


def test_the_parent_never_imports_the_code_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "only_in_children.py").write_text("def job(): return 'here'\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    bench = Bench("process", 1, apps=("only_in_children",))
    bench.executor.start()
    (done,) = bench.run([claim("", target="only_in_children:job", store_result=True)])
    bench.executor.stop(1)
    assert done.result == '"here"'
    assert "only_in_children" not in sys.modules


def test_a_large_argument_and_result_travel(make: Make) -> None:
    text = "x" * 5_000_000
    done = make("process", 1).run([claim("give", text, store_result=True), claim("give", 1, store_result=True)])
    assert [len(each.result or "") for each in done] == [len(text) + 2, 1]


def test_a_module_that_breaks_later_is_a_trouble_not_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = tmp_path / "fragile_app.py"
    module.write_text("import os\ndef leave(): os._exit(1)\ndef fine(): ...\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    bench = Bench("process", 1, apps=("fragile_app",))
    bench.executor.start()
    sound = module.read_text()
    module.write_text("raise ImportError('half deployed')\n")
    bench.executor.submit([claim("", target="fragile_app:leave"), claim("", target="fragile_app:fine")])
    wait_until(lambda: any(isinstance(event, Trouble) and "half deployed" in event.error for event in bench.events))
    module.write_text(sound)
    wait_until(lambda: len(bench.finished) == 2)
    assert sorted(each.settlement.outcome for each in bench.finished) == ["crashed", "succeeded"]
    bench.executor.stop(1)


def test_children_end_with_a_killed_parent(tmp_path: Path) -> None:
    script = (
        "import sys, time\n"
        "from pgqueue.tasks import Modules\n"
        "from pgqueue.worker.executors import ProcessExecutor, Settings\n"
        "from tests.worker.claims import TASKS, claim\n"
        "settings = Settings(dsn='', concurrency=2, modules=Modules((TASKS,)))\n"
        "executor = ProcessExecutor(settings, lambda batch: None, print)\n"
        "executor.start()\n"
        "executor.submit([claim('own_pid', sys.argv[1]), claim('nap', 60)])\n"
        "print('up', flush=True)\n"
        "time.sleep(60)\n"
    )
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "pids")], cwd=root, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        children = children_of(parent.pid)
        assert len(children) == 2
        parent.kill()
    killed = time.monotonic()
    wait_until(lambda: not any(is_alive(child) for child in children))
    assert time.monotonic() - killed < 1.5


def test_children_do_not_import_what_only_people_need(make: Make, tmp_path: Path) -> None:
    code = (
        "import sys, pgqueue.worker.executors.process.child;"
        " print({'sqlalchemy', 'alembic', 'typer', 'croniter', 'multiprocessing'} & {*sys.modules})"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "set()"


def test_an_idle_executor_costs_nothing(make: Make) -> None:
    bench = make("process", 2)
    bench.run([claim("nothing")])
    before = time.process_time()
    time.sleep(1.0)
    assert time.process_time() - before < 0.05
    assert isinstance(bench.executor, ProcessExecutor)


def test_what_ends_while_the_executor_stops_is_reported_or_left_over_never_both() -> None:
    reporting, go_on = threading.Event(), threading.Event()
    finished: list[Finished] = []

    def report(batch: Sequence[Finished]) -> None:
        reporting.set()
        go_on.wait(LIMIT)
        finished.extend(batch)

    executor = EXECUTORS["thread"](Settings(dsn="", concurrency=1, modules=Modules((TASKS,))), report, lambda _: None)
    executor.start()
    executor.submit([claim("add", 1, 2)])
    assert reporting.wait(LIMIT)
    threading.Timer(0.2, go_on.set).start()
    left = executor.stop(0.0)
    go_on.wait(LIMIT)
    wait_until(lambda: len(finished) + len(left) > 0)
    assert len(finished) + len(left) == 1
