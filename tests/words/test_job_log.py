"""What a job may say: bounded, harmless to print, and never an error of the job."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from pgqueue.job_log import LONGEST, MOST_BYTES, MOST_LINES, JobLog, Outlet, Said, level_of
from pgqueue.redaction import Redaction

JOB = UUID(int=7)


class Ear:
    def __init__(self, args: Any = None, store: str | None = None) -> None:
        self.heard: list[Said] = []
        self.log = JobLog((JOB, 3, 2), args, Outlet(self.heard.append, store))

    @property
    def lines(self) -> list[str]:
        return [said.line for said in self.heard]


class Speechless:
    def __str__(self) -> str:
        raise RuntimeError("no words")


def test_a_line_says_whose_it_is_and_in_which_order() -> None:
    ear = Ear()
    ear.log("one")
    ear.log.error("two %s", 2)
    assert [said[:4] for said in ear.heard] == [(JOB, 3, 2, 1), (JOB, 3, 2, 2)]
    assert [(said.level, said.line) for said in ear.heard] == [("info", "one"), ("error", "two 2")]


@pytest.mark.parametrize(
    ("message", "args"), [("%s %s", (1,)), (Speechless(), ()), ("%s", (Speechless(),)), ("%d", ("x",))]
)
def test_words_that_do_not_fit_together_are_told_of_and_raise_nothing(message: Any, args: tuple[Any, ...]) -> None:
    ear = Ear()
    ear.log(message, *args)
    assert ear.lines[0].startswith("a line that cannot be put into words")


def test_a_percent_sign_alone_is_a_word() -> None:
    ear = Ear()
    ear.log("100 % done")
    assert ear.lines == ["100 % done"]


def test_no_line_steers_a_terminal_or_breaks_the_database() -> None:
    ear = Ear()
    ear.log("\x1b[31mred\x00 \ud800 \u202eright\ttab\nnext")
    assert ear.lines == ["\\x1b[31mred\\x00 \\ud800 \\u202eright\ttab\nnext"]


@pytest.mark.parametrize("text", ["x" * 100_000, "ä" * 100_000, "\N{GRINNING FACE}" * 100_000])
def test_a_long_line_is_cut_and_says_so(text: str) -> None:
    ear = Ear()
    ear.log(text)
    assert len(ear.lines[0].encode()) <= LONGEST
    assert "characters)" in ear.lines[0]


def test_an_attempt_keeps_so_many_lines_and_says_that_there_were_more() -> None:
    ear = Ear()
    for number in range(2 * MOST_LINES):
        ear.log("%s", number)
    assert len(ear.heard) == MOST_LINES + 1
    assert "is not kept" in ear.lines[-1]


def test_an_attempt_keeps_so_many_bytes() -> None:
    ear = Ear()
    for _ in range(100):
        ear.log("ä" * 2_000)
    *lines, last = ear.lines
    assert sum(len(line.encode()) for line in lines) <= MOST_BYTES < sum(len(line.encode()) for line in lines) + 4_000
    assert "is not kept" in last


def test_where_nobody_keeps_lines_none_is_made() -> None:
    JobLog((JOB, 1, 1), None, None)(Speechless())


def test_secrets_of_the_arguments_stand_in_no_line() -> None:
    ear = Ear({"api_token": "tok-123456", "deep": {"password": 'pass"word'}})
    ear.log("got %s and %r", "tok-123456", {"p": 'pass"word'})
    assert "tok-123456" not in ear.lines[0]
    assert 'pass"word' not in ear.lines[0]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("password=hunter2 ok", "password=••••• ok"),
        ('{"api_key": "k 1", "n": 1}', '{"api_key": •••••, "n": 1}'),
        ("Authorization: Bearer abc.def", "Authorization: •••••"),
        ("postgresql://ann:pw@db/shop", "postgresql://ann:•••••@db/shop"),
        ("5 tokens, bypass=1, passed: 3, cards: 4", "5 tokens, bypass=1, passed: 3, cards: 4"),
        ("https://example.org/a:b@c", "https://example.org/a:b@c"),
    ],
)
def test_what_is_called_a_secret_in_words_is_hidden(text: str, shown: str) -> None:
    assert Redaction().in_words(text) == shown


@pytest.mark.parametrize("text", ["a" * 65_000, "token " * 10_000, "token" * 13_000, "://" * 20_000, "token=" * 10_000])
def test_looking_for_secrets_takes_time_in_proportion(text: str) -> None:
    # A pattern that turned back at each letter would take minutes, and the suite with it.
    Redaction().in_words(text)


def test_levels_are_those_of_logging() -> None:
    assert [level_of(number) for number in (5, 10, 20, 25, 30, 40, 50)] == [
        "debug", "debug", "info", "info", "warning", "error", "error",
    ]  # fmt: skip
    ear = Ear(store="warning")
    assert [ear.log.keeps(number) for number in (20, 30)] == [False, True]
    assert not Ear().log.keeps(50)
