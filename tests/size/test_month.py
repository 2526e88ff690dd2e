"""The month that measures look at is the same whenever it is made, and what it says it is."""

from __future__ import annotations

from itertools import islice

from bench.history import LARGE, SMALL
from bench.month.shape import Month

MONTH = Month(1_795_000_000_000, scale=0.001)


def test_a_seed_makes_the_same_rows_again_and_another_seed_others() -> None:
    for _, _, parts in LARGE:
        for part in parts:
            first = list(islice(part(MONTH), 500))
            assert list(islice(part(Month(MONTH.now, MONTH.scale)), 500)) == first
            assert list(islice(part(Month(MONTH.now, MONTH.scale, seed=2)), 500)) != first


def test_each_line_has_as_many_values_as_there_are_columns() -> None:
    kinds = [(columns, part) for _, columns, parts in LARGE for part in parts]
    kinds += [(columns, part) for _, columns, part in SMALL]
    for columns, part in kinds:
        assert {line.count("\t") for line in part(MONTH)} == {columns.count(",")}
        assert all(line.endswith("\n") for line in islice(part(MONTH), 10))
