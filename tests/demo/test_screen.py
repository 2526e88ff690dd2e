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


def test_a_terminal_gets_a_bar_that_keeps_its_width_and_stays_below(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    stream = Terminal()
    screen = Screen(stream)
    screen.progress(1, 2000)
    screen.say("something happened")
    screen.progress(2000, 2000)
    screen.end_progress()
    shown = [part for part in stream.getvalue().replace("\r\x1b[K", "\n").split("\n") if part]
    bars = [part for part in shown if "[" in part]
    assert {len(bar) for bar in bars} == {len(bars[0])}
    assert len(bars[0]) < 80
    assert bars[0] == bars[1]
    assert stream.getvalue().endswith("\r\x1b[K")
