"""Rates in words."""

from __future__ import annotations

from typing import Any

import pytest

from pgqueue.errors import OptionError
from pgqueue.rate import Rate, rate_of
from tests.words.rates import RIGHT, WRONG


@pytest.mark.parametrize(("text", "starts", "period"), RIGHT)
def test_a_rate_is_so_many_starts_in_a_time(text: str, starts: int, period: float) -> None:
    assert rate_of(text) == Rate(starts, period)


@pytest.mark.parametrize(("text", "advice"), WRONG)
def test_a_rate_that_is_misspelt_is_refused_with_the_nearest_right_one(text: str, advice: str) -> None:
    with pytest.raises(OptionError) as refused:
        rate_of(text)
    assert advice in str(refused.value)


@pytest.mark.parametrize("value", [100, None, b"1/s", ("1", "s")])
def test_a_rate_is_a_text(value: Any) -> None:
    with pytest.raises(OptionError, match="rate must be a text such as '100/m'"):
        rate_of(value)


@pytest.mark.parametrize(
    ("text", "written"),
    [*((text, text) for text, *_ in RIGHT), ("5/60s", "5/m"), ("2/90s", "2/90s"), ("2/48h", "2/2d")],
)
def test_a_rate_is_written_as_it_is_read(text: str, written: str) -> None:
    assert str(rate_of(text)) == written
    assert rate_of(written) == rate_of(text)
