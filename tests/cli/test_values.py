"""What people type becomes values, or a message that shows how it should read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import typer

from pgqueue.cli.values import arguments, duration, labels, moment, seconds_or_none


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90", 90),
        ("90s", 90),
        ("0.5", 0.5),
        ("250ms", 0.25),
        ("5m", 300),
        ("1h30m", 5400),
        ("2d", 172_800),
        ("1w", 604_800),
    ],
)
def test_a_time_reads_as_people_write_it(text: str, expected: float) -> None:
    assert duration(text) == timedelta(seconds=expected)


@pytest.mark.parametrize("text", ["", "soon", "-5", "5 parsecs", "1h 30", "1e3", "99999999999999d"])
def test_what_is_no_time_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(typer.BadParameter, match=r"a time reads like|too long"):
        duration(text)


def test_a_timeout_can_be_none() -> None:
    assert seconds_or_none("none") == float("inf")
    assert seconds_or_none("2m") == 120


def test_a_moment_without_a_zone_is_local() -> None:
    assert moment("2031-05-01T09:30").timestamp() == datetime(2031, 5, 1, 9, 30).timestamp()
    assert moment("2031-05-01T09:30+02:00") == datetime(2031, 5, 1, 7, 30, tzinfo=UTC)


def test_what_is_no_moment_is_refused_with_an_example() -> None:
    with pytest.raises(typer.BadParameter, match=r"reads like 2031-05-01T09:30 .* got 'tomorrow'"):
        moment("tomorrow")


def test_arguments_are_a_json_list_or_object() -> None:
    assert arguments(None) is None
    assert arguments("[1, 2]") == [1, 2]
    assert arguments('{"a": 1}') == {"a": 1}


@pytest.mark.parametrize(
    ("text", "message"), [("42", "wrap a single one"), ("{a: 1}", "not JSON"), ("[" * 9999, "not JSON")]
)
def test_other_arguments_are_refused_with_the_cure(text: str, message: str) -> None:
    with pytest.raises(typer.BadParameter, match=message):
        arguments(text)


def test_labels_are_pairs() -> None:
    assert labels(["a=1", "b=x=y"]) == {"a": "1", "b": "x=y"}
    assert labels([]) is None
    with pytest.raises(typer.BadParameter, match="KEY=VALUE"):
        labels(["a"])
