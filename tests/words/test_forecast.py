"""Forecasts are arithmetics: what holds of them, whatever the numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pgqueue.errors import OptionError
from pgqueue.forecast import Basis, Change, Window, change_of, course

RATES = st.floats(0, 1000)
WINDOWS = st.builds(Window, RATES, RATES, st.booleans())
BASES = st.builds(
    Basis,
    ready=st.integers(0, 10**7),
    slots=st.integers(0, 500),
    free=st.floats(0, 1),
    run=st.floats(0.001, 1000),
    windows=st.lists(WINDOWS, min_size=1, max_size=6),
    most_slots=st.none() | st.integers(1, 500),
    most_rate=st.none() | st.floats(0.1, 1000),
)
# 18 slots, all busy with it: 300 a minute of 3.6 s each go out, 410 come in.
BEHIND = Basis(ready=1204, slots=18, free=0.0, run=3.6, windows=[Window(410 / 60, 300 / 60, True)])


def test_a_queue_to_which_more_comes_than_goes_never_drains_and_with_more_slots_does() -> None:
    now, then = course(BEHIND, Change()), course(BEHIND, change_of("+8"))
    assert now is not None
    assert then is not None
    assert (now.drain, now.busy, 60 * now.out) == (None, pytest.approx(1.0), pytest.approx(300))
    assert (then.slots, 60 * then.out) == (26, pytest.approx(300 * 26 / 18))
    assert then.drain == pytest.approx(1204 / ((300 * 26 / 18 - 410) / 60))


def test_after_a_pause_what_came_meanwhile_is_to_be_drained_too() -> None:
    then = course(BEHIND, change_of("36", pause="10m"))
    assert then is not None
    assert then.drain == pytest.approx(600 + (1204 + 4100) / ((600 - 410) / 60))


def test_slots_that_had_nothing_to_do_are_there_for_what_comes() -> None:
    # Nothing waits, nine of ten slots are free; as much goes as comes, and more could.
    calm = Basis(ready=0, slots=10, free=0.9, run=1.0, windows=[Window(1.0, 1.0, False)])
    then = course(calm, change_of(pause="1m"))
    assert then is not None
    assert then.drain == pytest.approx(60 + 60 / (10 - 1))


def test_where_nothing_ended_nothing_is_told() -> None:
    assert course(replace(BEHIND, run=None), Change()) is None
    assert course(replace(BEHIND, windows=[Window(1, 0, True)]), Change()) is None
    assert course(replace(BEHIND, windows=[]), Change()) is None


def test_minutes_in_which_it_was_paused_do_not_count() -> None:
    paused = replace(BEHIND, windows=[*BEHIND.windows, Window(410 / 60, 0, True)])
    assert course(paused, Change()) == course(BEHIND, Change())


def test_more_slots_than_its_limit_allows_change_nothing() -> None:
    limited = replace(BEHIND, most_slots=18)
    assert course(limited, change_of("+8")) == course(limited, Change())


def _drain(basis: Basis, change: Change) -> float:
    found = course(basis, change)
    assert found is not None
    return float("inf") if found.drain is None else found.drain


@given(BASES, st.integers(0, 500), st.integers(0, 500), st.floats(0, 10_000), RATES)
def test_more_slots_never_drain_later_and_a_longer_pause_or_more_jobs_never_sooner(
    basis: Basis, few: int, more: int, pause: float, into: float
) -> None:
    assume(course(basis, Change()) is not None)
    assert _drain(basis, Change(slots=few + more)) <= _drain(basis, Change(slots=few))
    assert _drain(basis, Change(pause=pause + 1)) >= _drain(basis, Change(pause=pause)) - 1e-6
    assert _drain(basis, Change(into=into + 1)) >= _drain(basis, Change(into=into))
    assert _drain(basis, Change(rate=into + 1)) <= _drain(basis, Change(rate=into))


@given(BASES)
def test_the_drain_lies_between_the_best_and_the_worst_and_nothing_is_negative(basis: Basis) -> None:
    assume((found := course(basis, Change())) is not None)
    assert found is not None
    assert found.slots >= 0
    assert found.into >= 0
    assert found.out >= 0
    assert 0 <= found.busy <= 1
    if found.latest is not None:
        assert found.soonest is not None
        assert found.drain is not None
        assert 0 <= found.soonest <= found.drain <= found.latest
    if found.drain is not None:
        assert found.soonest is not None
        assert found.soonest <= found.drain


@given(BASES)
def test_without_a_change_as_much_goes_out_as_went_where_jobs_waited(basis: Basis) -> None:
    windows = [replace(window, waited=True) for window in basis.windows if window.out > 0]
    assume(windows and basis.slots)
    busy = replace(basis, windows=windows, most_slots=None, most_rate=None)
    found = course(busy, Change())
    assert found is not None
    assert found.out == pytest.approx(sum(window.out for window in windows) / len(windows))


def test_changes_are_read_as_they_are_typed() -> None:
    assert change_of("+8", "1h30m", "600/m", "1.5/s") == Change(slots=8, pause=5400, rate=10, into=1.5)
    assert change_of("-2").slots_of(1) == 0
    assert change_of("20").slots_of(3) == 20
    assert change_of("", "", None, "").is_none
    assert change_of(pause="90") == Change(pause=90)


@pytest.mark.parametrize(
    "wrong",
    [{"slots": "many"}, {"slots": "+9999999"}, {"pause": "soon"}, {"pause": "9000d"}, {"rate": "50"}, {"into": "x/s"}],
)
def test_what_is_no_change_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(OptionError):
        change_of(**wrong)
