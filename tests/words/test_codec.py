"""Arguments and results to JSON and back."""

from __future__ import annotations

import datetime
import decimal
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pgqueue.codec import MAX_DEPTH, decode_args, encode, encode_args
from pgqueue.errors import ArgumentError

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
)


@settings(suppress_health_check=[HealthCheck.too_slow])  # on a busy machine
@given(st.lists(JSON))
def test_positional_arguments_come_back_as_they_were(args: list[Any]) -> None:
    assert decode_args(encode_args(args)) == (args, {})


@given(st.dictionaries(TEXTS, JSON))
def test_keyword_arguments_come_back_as_they_were(kwargs: dict[str, Any]) -> None:
    assert decode_args(encode_args(kwargs)) == ([], kwargs)


def test_no_arguments_are_an_empty_object() -> None:
    assert decode_args(encode_args(None)) == ([], {})


class User:
    pass


def circle() -> list[Any]:
    ring: list[Any] = []
    ring.append(ring)
    return ring


def deep(levels: int) -> list[Any]:
    nest: list[Any] = []
    for _ in range(levels - 1):
        nest = [nest]
    return nest


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"user": User()}, 'args["user"]: User is not JSON serialisable; pass its id'),
        ([{"a": [1, object()]}], 'args[0]["a"][1]: object is not JSON serialisable; pass its id'),
        ([datetime.datetime.now()], "args[0]: a datetime without a zone may mean any moment; give it one"),
        ([decimal.Decimal("nan")], "args[0]: NaN is not JSON; pass None or a text"),
        ([float("nan")], "args[0]: nan is not JSON"),
        ([float("-inf")], "args[0]: -inf is not JSON"),
        ([10**5000], "args[0]: an integer of more than 1,000 digits; pass it as text"),
        (["\ud800"], "args[0]: holds a lone surrogate"),
        ([{None: 2}], "args[0]: the key None is not a text"),
        ({True: 2}, "args: the key True is not a text"),
        ({"{": {1.5: 2}}, 'args["{"]: the key 1.5 is not a text'),
        ([{(1, 2): 2}], "args[0]: the key (1, 2) is not a text"),
        ([{"\ud800": 2}], "args[0]: the key '\\ud800': holds a lone surrogate"),
        ([{1: 2, "1": 3}], 'args[0]: two keys are "1" in JSON'),
        ("text", "args must be a list (positional) or a mapping (by keyword), got str"),
        (5, "args must be a list (positional) or a mapping (by keyword), got int"),
    ],
)
def test_what_is_not_json_is_named_with_its_path(args: Any, message: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        encode_args(args)
    assert str(caught.value).startswith(message)


def test_depth_is_bounded_and_a_circle_is_told() -> None:
    # The list of arguments is a level itself.
    assert json.loads(encode_args([deep(MAX_DEPTH - 1)]))
    for args in ([deep(MAX_DEPTH)], circle()):
        with pytest.raises(ArgumentError, match="nested deeper than"):
            encode_args(args)


def test_a_result_is_named_in_its_error() -> None:
    assert encode({"ok": [1, "ä"]}, "result") == '{"ok":[1,"ä"]}'
    with pytest.raises(ArgumentError, match=r'result\["user"\]: User'):
        encode({"user": User()}, "result")


@pytest.mark.parametrize("text", ["[1", "7", '"x"', "null", "[" * 5000 + "]" * 5000, f"[{'9' * 5000}]"])
def test_a_row_that_cannot_be_read_says_so(text: str) -> None:
    with pytest.raises(ArgumentError, match="args"):
        decode_args(text)
