"""Foreign text on a terminal, in a log or in JSON steers nothing, and stays readable."""

from __future__ import annotations

import json
import sys
import unicodedata

import pytest

from pgqueue.printable import as_json, cut, in_lines, in_one_line

# Title change, colour, C1's CSI, DEL, direction, separators, invisible, tags, lone surrogate, NUL.
STEERING = "\x1b]0;x\x07\x1b[31m\x9b2J\x7f\u202e\u2066\u200b\u2028\u2029\x85\U000e0041\ud800\x00\r"


@pytest.mark.parametrize("letter", STEERING)
def test_no_character_that_steers_a_terminal_is_left(letter: str) -> None:
    if letter.isprintable():
        return
    for shown in (in_one_line(f"a{letter}b"), in_lines(f"a{letter}b"), as_json({"k": f"a{letter}b"}, indent=2)):
        assert letter not in shown
        assert shown.encode()


def test_every_control_format_and_separator_character_is_escaped() -> None:
    steering = [
        chr(code)
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code)) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    ]
    text = "".join(steering)
    assert in_one_line(text).isprintable()
    assert in_lines(text).replace("\n", "").replace("\t", "").isprintable()
    assert as_json(text).isprintable()


def test_lines_keep_their_breaks_and_one_line_does_not() -> None:
    assert in_lines("a\tb\nc") == "a\tb\nc"
    assert in_one_line("a\tb\nc") == r"a\tb\nc"


@pytest.mark.parametrize("text", ["plain", "żółw 亀\u3000亀", "5\u00a0€", "שלום", "👍"])
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert in_one_line(text) == in_lines(text) == json.loads(as_json(text)) == text
    assert text in as_json(text)


def test_json_is_the_same_value_for_whoever_parses_it() -> None:
    value = {STEERING: [STEERING, {"a": "\u2028"}], "plain": "ü"}
    for indent in (None, 2):
        assert json.loads(as_json(value, indent=indent)) == value


def test_a_text_that_is_cut_says_how_long_it_was() -> None:
    assert cut("x" * 1_000_000, 5) == "xxxxx... (1,000,000 characters)"
    assert in_one_line("\x1b" * 1_000_000, 2) == r"\x1b\x1b... (1,000,000 characters)"
    assert cut("x" * 5, 5) == "xxxxx"
