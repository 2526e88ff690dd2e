"""Processes that measure: asked by JSON lines, and ended whatever they do."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import pytest

from pgqueue.bench.processes import PROC, cpu_seconds, memory_mb
from pgqueue.bench.program import ProgramFailed, program

ECHO = "import sys\nfor line in sys.stdin: print(line, end='', flush=True)"


def python(code: str) -> Sequence[str]:
    return [sys.executable, "-c", code]


def test_an_answer_comes_back() -> None:
    with program(python(ECHO)) as echo:
        assert echo.ask(10, do="this", count=3) == {"do": "this", "count": 3}


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("", "ended with code 0 and no answer"),
        ("print('hello'); input()", "answered no JSON"),
        ("""print('{"error": "no bulk enqueue"}'); input()""", "no bulk enqueue"),
        ("import time; time.sleep(60)", "did not answer within 0 s"),
    ],
)
def test_a_program_that_cannot_says_why(code: str, said: str) -> None:
    limit = 0.1 if "sleep" in code else 10
    command = python(f"import sys\nsys.stdin.readline()\n{code}")
    with program(command) as broken, pytest.raises(ProgramFailed, match=said):
        broken.ask(limit, do="this")


def test_processes_are_accounted_for_where_there_is_a_proc() -> None:
    here = PROC.joinpath("self").exists()
    assert bool(cpu_seconds([os.getpid()])) == here
    assert bool(memory_mb(os.getpid())) == here
    assert memory_mb(2**30) is None
