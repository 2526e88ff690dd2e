"""What the demo writes to a terminal, and to a pipe."""

from __future__ import annotations

import io

import pytest

from pgqueue.demo.screen import Screen


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_pipe_gets_a_line_a_quarter_and_no_control_characters() -> None:
    stream = io.StringIO()
    screen = Screen(stream)
    for done in range(101):
        screen.progress(done, 100)
    screen.end_progress()
    lines = stream.getvalue().splitlines()
    assert [line.split("s  ", 1)[1] for line in lines] == [
        f"{done} of 100 jobs have ended" for done in (" 25", " 50", " 75", "100")
    ]
    assert stream.getvalue().replace("\n", "").isprintable()


def test_a_terminal_gets_a_bar_that_stays_below_what_is_said_and_goes_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()
    screen = Screen(stream)
    screen.progress(1, 2000)
    before = stream.getvalue()
    assert "1 of 2,000 jobs have ended" in before
    screen.say("something happened")
    said, _, below = stream.getvalue()[len(before) :].partition("something happened")
    assert said.startswith("\r\x1b[2K"), "the bar is wiped before a line is written in its place"
    assert "1 of 2,000 jobs have ended" in below
    screen.progress(2000, 2000)
    screen.end_progress()
    assert stream.getvalue().rstrip("\x1b[?25h").endswith("\x1b[2K")
