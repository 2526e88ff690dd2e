"""The start of a worker, and modules that do their worst while they are imported."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from pgqueue.errors import AppError
from pgqueue.events import Trouble
from pgqueue.outcome import Move
from tests.worker.benches import KINDS, Bench, Make, wait_until
from tests.worker.claims import TASKS, claim
from tests.worker.running import Desk, StartThreaded, lines_of

Write = Callable[..., str]

WAIT_FOR_A_FILE = """
import os, pathlib, time, pgqueue
folder = pathlib.Path(__file__).parent
with (folder / "pids").open("a") as file:
    file.write(f"{os.getpid()}\\n")
while not (folder / "go").exists():
    time.sleep(0.01)
@pgqueue.task
def job(): ...
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write a package that can be imported, of the lines of its modules; answers its name, which is the test's own."""
    name = f"app_of_{tmp_path.name}".replace("-", "_")
    (tmp_path / name).mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(module: str = "__init__", code: str = "") -> str:
        (tmp_path / name / "__init__.py").touch()
        (tmp_path / name / f"{module}.py").write_text(code)
        return name

    return write


def test_a_child_that_is_killed_while_it_imports_is_replaced(
    start: StartThreaded, desk: Desk, write: Write, tmp_path: Path
) -> None:
    app = write(code=WAIT_FOR_A_FILE)
    worker = start(executor="process", concurrency=1, app=[app])
    first = int(wait_until_lines(tmp_path / app / "pids", 1)[0])
    os.kill(first, signal.SIGKILL)
    wait_until_lines(tmp_path / app / "pids", 2)
    (tmp_path / app / "go").touch()
    assert desk.await_state(desk.send(f"{app}:job"), timeout=30).state == "succeeded"
    (said,) = [event.error for event in worker.heard(Trouble)]
    assert said == f"a child process ended with signal 9 (SIGKILL) while it imported {app}"
    assert worker.stop() == 0


@pytest.mark.faults
def test_an_app_that_ends_every_child_ends_a_worker_that_begins(write: Write) -> None:
    app = write(code="import os; os.kill(os.getpid(), 9)")
    bench = Bench("process", 2, apps=(app,))
    with pytest.raises(AppError, match=f"ended with signal 9 .* while it imported {app}"):
        bench.executor.start()
    assert len([event for event in bench.events if isinstance(event, Trouble)]) == 3
    assert bench.children == set()


def test_an_app_whose_import_hangs_ends_a_worker_that_begins(write: Write) -> None:
    app = write(code="import time; time.sleep(60)")
    bench = Bench("process", 2, apps=(app,), start_limit=0.3)
    with pytest.raises(AppError, match=rf"importing {app} took longer than 0\.3 s"):
        bench.executor.start()
    assert bench.children == set()


@pytest.mark.parametrize("kind", KINDS)
def test_an_app_that_raises_no_exception_cannot_be_imported(kind: str, write: Write) -> None:
    app = write(code="class Odd(BaseException): ...\nraise Odd('no')")
    with pytest.raises(AppError, match=rf"cannot import {app}: .*Odd: no .*line 2"):
        Bench(kind, 1, apps=(app,)).executor.start()


def test_an_app_that_interrupts_its_child_cannot_be_imported(write: Write) -> None:
    app = write(code="raise KeyboardInterrupt")
    with pytest.raises(AppError, match=rf"cannot import {app}: KeyboardInterrupt"):
        Bench("process", 1, apps=(app,)).executor.start()


@pytest.mark.parametrize("kind", KINDS)
def test_a_module_that_a_job_names_is_not_imported_and_the_job_waits(
    make: Make, write: Write, kind: str, tmp_path: Path
) -> None:
    app = write("worst", f"open({str(tmp_path / 'imported')!r}, 'w').close()\nraise KeyboardInterrupt")
    bench = make(kind, 1, apps=(app, TASKS))
    before = bench.children
    named, innocent = bench.run([claim("", target=f"{app}.worst:job"), claim("nothing")])
    assert (named.move, named.outcome, named.started) == (Move.PARK, "released", False)
    assert f"{app}.worst was not named, and a job imports nothing" in (named.error or "")
    assert innocent.outcome == "succeeded"
    assert not (tmp_path / "imported").exists()
    assert bench.children == before


def wait_until_lines(path: Path, count: int) -> list[str]:
    wait_until(lambda: len(lines_of(path)) >= count)
    return lines_of(path)
