"""`pgqueue tasks list`: what a worker with that app would know. It needs no database."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import SHOP, Command


def test_tasks_are_listed_with_their_options(shell: Command) -> None:
    ran = shell("tasks", "list", "-A", SHOP, PGQUEUE_DSN="")
    assert ran.code == 0, ran.err
    lines = [line.split() for line in ran.out.splitlines()]
    assert lines[0] == ["TARGET", "QUEUE", "PRIORITY", "ATTEMPTS", "TIMEOUT"]
    assert [f"{SHOP}:remind", "mail", "7", "8", "3600", "s"] in lines
    assert [f"{SHOP}:charge", "default", "5", "26", "3600", "s", "transactional"] in lines
    assert [f"{SHOP}:count", "default", "5", "26", "3600", "s", "async"] in lines
    assert [f"{SHOP}:wait_for", "default", "5", "26", "3600", "s", "plain", "function"] in lines


def test_tasks_as_json(shell: Command) -> None:
    rows = {row["target"]: row for row in shell("tasks", "list", "-A", SHOP, "--json").json}
    assert rows[f"{SHOP}:break_down"]["timeout"] == 60
    assert rows[f"{SHOP}:wait_for"]["declared"] is False


def test_modules_of_the_current_folder_are_found(
    pgqueue: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "kiosk_of_this_test.py").write_text("def sell(thing): ...")
    monkeypatch.chdir(tmp_path)
    assert "kiosk_of_this_test:sell" in pgqueue("tasks", "list", "-A", "kiosk_of_this_test").out


def test_a_module_without_tasks(shell: Command, tmp_path: Path) -> None:
    (tmp_path / "empty.py").touch()
    ran = shell("tasks", "list", "-A", "empty", PYTHONPATH=str(tmp_path))
    assert (ran.code, ran.out) == (0, "empty has no task: put @pgqueue.task on a function.\n")


def test_what_was_named_and_its_tasks_py_are_listed_as_a_worker_would_run_it(shell: Command, tmp_path: Path) -> None:
    (tmp_path / "kiosk").mkdir()
    (tmp_path / "kiosk/__init__.py").write_text("def sell(): ...\n\ndef _private(): ...\n")
    (tmp_path / "kiosk/tasks.py").write_text("import pgqueue\n\n@pgqueue.task\ndef send(): ...\n\ndef plain(): ...\n")
    (tmp_path / "kiosk/more.py").write_text("def late(): ...\n")
    (tmp_path / "kiosk/broken.py").write_text("import nowhere_at_all\n")

    def listed(*words: str) -> list[str]:
        ran = shell("tasks", "list", *words, PYTHONPATH=str(tmp_path))
        return [line.split()[0] for line in ran.out.splitlines()[1:]]

    assert listed("-A", "kiosk") == ["kiosk.tasks:send", "kiosk:sell"]
    assert listed("-A", "kiosk", "--include", "kiosk.tasks,kiosk.more") == [
        "kiosk.more:late",
        "kiosk.tasks:plain",
        "kiosk.tasks:send",
        "kiosk:sell",
    ]
    assert listed("-A", "kiosk", "--include", "kiosk.more", "--tasks-only") == ["kiosk.tasks:send"]
