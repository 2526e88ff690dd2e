"""Names under which secrets stand: ours, and those that the environment adds."""

from __future__ import annotations

import time

import pytest

from pgqueue.leaving_out import HIDDEN
from pgqueue.redaction import Redaction
from pgqueue.secret_names import VARIABLE

ARGS = '{"password": "hunter22", "e_mail": "ann@example.org", "home_phone": "555-0199", "order": 42}'


@pytest.mark.parametrize(
    ("said", "hidden"),
    [
        (None, {"password"}),
        ("", {"password"}),
        ("e_mail", {"password", "e_mail"}),
        ("E_MAIL, *phone*", {"password", "e_mail", "home_phone"}),
        ("*phone*;e?mail order", {"password", "e_mail", "home_phone", "order"}),
        ("phone", {"password"}),
        ("none", set()),
        ("none,e_mail", {"e_mail"}),
        ("*", {"password", "e_mail", "home_phone", "order"}),
    ],
)
def test_patterns_are_beside_our_own_names_unless_those_are_left_out(
    monkeypatch: pytest.MonkeyPatch, said: str | None, hidden: set[str]
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    if said is not None:
        monkeypatch.setenv(VARIABLE, said)
    shown = Redaction().of_json(ARGS)
    assert {name for name, value in shown.value.items() if value == HIDDEN} == hidden
    assert ("hunter22" in (shown.secrets or ())) == ("password" in hidden)


@pytest.mark.parametrize(
    ("said", "text", "shown"),
    [
        ("e_mail", "e_mail=ann@example.org, order=42", f"e_mail={HIDDEN}, order=42"),
        ("e_mail", "the_e_mail=ann", "the_e_mail=ann"),
        ("*mail", "the_e_mail: 'ann bee' and more", f"the_e_mail: {HIDDEN} and more"),
        ("e_mail", "password=x1", f"password={HIDDEN}"),
        ("none", "password=x1 https://ann:x2@host/", f"password=x1 https://ann:{HIDDEN}@host/"),
    ],
)
def test_what_is_told_in_words_is_found_by_the_same_patterns(
    monkeypatch: pytest.MonkeyPatch, said: str, text: str, shown: str
) -> None:
    monkeypatch.setenv(VARIABLE, said)
    assert Redaction().in_words(text) == shown


def test_lines_of_code_tell_names_and_no_values() -> None:
    code = '  File "a.py", line 3, in f\n    token = ask(password=word)\n'
    shown = Redaction().in_report(f"{code}ValueError: token=abc1\n    password: x1")
    assert shown == f"{code}ValueError: token={HIDDEN}\n    password: {HIDDEN}"


def test_no_pattern_and_no_name_takes_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, ",".join(["*a*a*a*a*b", "*" * 50, "?*" * 30]))
    began = time.monotonic()
    Redaction().hides("a" * 100_000)
    Redaction().in_words("a" * 20_000 + "=" + "a" * 20_000)
    assert time.monotonic() - began < 5
