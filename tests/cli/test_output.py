"""Tables for people, JSON for programs, colour only where somebody sees it."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from datetime import timedelta

import pytest

from pgqueue.cli.output import plain, print_table, rounded
from tests.cli.conftest import Command, Start
from tests.postgres import ROOT


def test_columns_are_aligned_and_numbers_stand_to_the_right(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(["NAME", "N", ""], [["a", 5, None], ["long one", 1000, "x"]])
    assert capsys.readouterr().out == "NAME         N\na            5\nlong one  1000  x\n"


def test_control_characters_are_shown_not_obeyed() -> None:
    assert plain("\x1b[31mred\x00\n") == "\\x1b[31mred\\x00\n"
    assert plain("a\nb", newlines=False) == "a\\nb"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.04, "0.0 s"), (12, "12 s"), (119, "119 s"), (150, "2 min"), (86_400, "24 h"), (1e6, "12 d")],
)
def test_durations_are_rounded_to_a_fitting_unit(seconds: float, expected: str) -> None:
    assert rounded(timedelta(seconds=seconds)) == expected


def test_a_long_cell_is_shortened(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(["ERROR"], [["y" * 4000], ["z" * 200]])
    assert capsys.readouterr().out.splitlines() == ["ERROR", "y" * 199 + "…", "z" * 200]


def on_a_terminal(*words: str, **environment: str) -> str:
    """What a command prints on a terminal of its own."""
    master, terminal = pty.openpty()
    command = [sys.executable, "-m", "pgqueue", *words]
    env = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | {"TERM": "xterm"} | environment
    with subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal, env=env, cwd=ROOT) as process:
        os.close(terminal)
        shown = b""
        try:
            while piece := os.read(master, 65536):
                shown += piece
        except OSError:  # Linux says EIO when the other side is closed.
            pass
        os.close(master)
        assert process.wait(30) == 0
    return shown.decode()


def test_a_terminal_gets_colour(dsn: str) -> None:
    assert "\x1b[1mQUEUE" in on_a_terminal("--dsn", dsn, "queues", "pause", "mail") + on_a_terminal(
        "--dsn", dsn, "status"
    )


def test_no_color_is_honoured(dsn: str) -> None:
    on_a_terminal("--dsn", dsn, "queues", "pause", "mail")
    shown = on_a_terminal("--dsn", dsn, "status", NO_COLOR="1")
    assert "mail" in shown
    assert "\x1b" not in shown


def test_a_pipe_gets_no_colour(shell: Command) -> None:
    shell("queues", "pause", "mail")
    shown = shell("queues", "list").out
    assert "paused" in shown
    assert "\x1b" not in shown


def test_a_reader_that_leaves_early_is_no_accident(start: Start) -> None:
    process = start("migrate", "--sql")
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    assert "Traceback" not in process.stderr.read()
