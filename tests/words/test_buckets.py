"""Buckets of durations: a quantile is never further off than a bucket is wide, and as a rule much less."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgqueue.buckets import BOUNDS, BUCKETS, WIDEST, bucket_of, quantile

durations = st.floats(min_value=BOUNDS[0] / 2, max_value=BOUNDS[-1])


def counted(values: list[float]) -> list[int]:
    counts = [0] * BUCKETS
    for value in values:
        counts[bucket_of(value)] += 1
    return counts


def true_quantile(values: list[float], share: float) -> float:
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def test_each_bucket_holds_what_is_not_longer_than_its_bound() -> None:
    assert len(BOUNDS) == 24
    for number, bound in enumerate(BOUNDS):
        assert bucket_of(bound) == number
        assert bucket_of(bound * 1.001) == number + 1
    assert WIDEST < 2.3
    assert bucket_of(-1.0) == 0


@given(st.lists(durations, min_size=1, max_size=200), st.floats(min_value=0.01, max_value=1))
def test_a_quantile_lies_in_the_bucket_of_the_true_one(values: list[float], share: float) -> None:
    found = quantile(counted(values), share)
    assert found is not None
    true = true_quantile(values, share)
    assert found / true < WIDEST * 1.0001
    assert true / found < WIDEST * 1.0001


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
@pytest.mark.parametrize("spread", [0.4, 0.8, 1.5])
@pytest.mark.parametrize("middle", [0.004, 0.08, 1.7, 45.0])
def test_of_durations_as_they_are_a_quantile_is_off_by_less_than_a_fifth(
    middle: float, spread: float, share: float
) -> None:
    chance = random.Random(f"{middle} {spread}")
    values = [middle * math.exp(chance.gauss(0, spread)) for _ in range(20_000)]
    found = quantile(counted(values), share)
    assert found is not None
    assert abs(found / true_quantile(values, share) - 1) < 0.2


def test_of_nothing_there_is_no_quantile() -> None:
    assert quantile([0] * BUCKETS, 0.5) is None
    assert quantile([], 0.5) is None
    assert quantile(counted([1e9]), 0.5) == BOUNDS[-1]
