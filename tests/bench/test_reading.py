"""The arithmetic of the runner: medians, spreads, ratios within a round, verdicts."""

from __future__ import annotations

import pytest

from pgqueue.bench.beside import BULK, DRAIN, HEARD, PICK_UP, Rival, enqueue
from pgqueue.bench.rated import worst_window
from pgqueue.bench.reading import Key, Reading, Spread, quantile, ratios, spread, values_of
from pgqueue.bench.sizes import FULL, QUICK
from pgqueue.bench.targets import CEILINGS, Target, judge, targets

OURS, RAW = Key("drain", "thread"), Key("drain", "raw")


def rounds(*pairs: tuple[float | None, float | None]) -> list[dict[Key, Reading]]:
    """What each round found for ours and for the ceiling; None where it found nothing."""
    return [
        {key: Reading(key, "/s", value) for key, value in zip((OURS, RAW), pair, strict=True) if value is not None}
        for pair in pairs
    ]


def test_a_ratio_is_taken_within_each_round() -> None:
    # The machine was ten times slower in the second round: it hit both.
    assert ratios(rounds((80, 100), (8, 10), (70, 100)), OURS, RAW) == [0.8, 0.8, 0.7]


def test_a_round_without_one_of_both_has_no_ratio() -> None:
    assert ratios(rounds((80, 100), (None, 100), (80, None), (80, 0)), OURS, RAW) == [0.8]


def test_a_spread_is_the_median_with_both_ends() -> None:
    assert spread([3, 1, 9]) == Spread(3, 1, 9)
    assert spread([]) is None


def test_values_are_those_of_the_rounds_that_have_them() -> None:
    assert values_of(rounds((1, 2), (None, 2), (3, 2)), OURS) == [1, 3]


@pytest.mark.parametrize(("share", "value"), [(0.5, 50), (0.95, 95), (0.99, 99), (1.0, 100), (0.0, 1)])
def test_a_quantile_is_a_value_that_occurred(share: float, value: float) -> None:
    assert quantile(range(100, 0, -1), share) == value


@pytest.mark.parametrize(
    ("target", "met"),
    [
        (Target("", OURS, 0.8, RAW), True),
        (Target("", OURS, 0.81, RAW), False),
        (Target("", OURS, 0.8, RAW, "at most"), True),
        (Target("", OURS, 0.79, RAW, "at most"), False),
        (Target("", OURS, 80, None), True),
        (Target("", OURS, 79, None, "at most"), False),
        (Target("", Key("drain", "nobody"), 1, RAW), None),
    ],
)
def test_a_target_is_judged_by_the_median(target: Target, met: bool | None) -> None:
    assert judge(target, rounds((80, 100), (10, 100), (200, 100))).met is met


def test_every_promise_has_its_target() -> None:
    found = {target.figure: target for target in targets(FULL)}
    drain = "drain, 1 worker"
    assert [found[Key(drain, name)].bound for name in ("thread", "async", "process")] == [0.6, 0.6, 0.4]
    assert found[Key("enqueue, 8 clients", "pgqueue")].bound == 0.85
    assert found[Key("bulk", "pgqueue")].bound == 0.7
    for executor in ("thread", "async", "process"):
        assert [found[Key(f"pick-up {share}", executor)].bound for share in ("p50", "p99")] == [1.3, 2.0]
        assert found[Key("pick-up, half load p50", executor)].wanted == "≤ 3 ms"
    assert found[Key("WAL per job, enqueue to end", "one by one")].bound == 1200
    assert found[Key("transactions per job in a drain", "process")].bound == 0.05
    assert found[Key("drain under a held horizon", "last tenth")].bound == 0.8
    assert found[Key("drain, 4 workers", "thread")].bound == 1
    assert found[Key("memory of the worker", "process")].bound == 60
    grown = {key.subject for key in found if key.figure == "claim of 50, p95"}
    assert grown >= {"5M ready", "1M in the future", "1M of another queue", "10M rows of history"}


def test_every_rival_is_to_be_outrun_in_what_was_measured_alike() -> None:
    found = [
        target
        for target in targets(QUICK, [Rival("snail", True), Rival("hare", False)])
        if target.over is not None and target.over.subject in ("snail", "hare")
    ]
    # By each executor, but for full isolation nearly, where the other runs no Python.
    drains = {(each.figure.subject, each.over.subject): each.bound for each in found if each.over.figure == DRAIN}  # type: ignore[union-attr]  # those above
    assert drains.pop(("pgqueue, process", "hare")) == 0.85
    assert len(drains) == 5
    assert set(drains.values()) == {1}
    assert {f"{PICK_UP} p50", BULK, HEARD, enqueue(1), enqueue(8)} < {each.figure.figure for each in found}
    assert all(each.figure.figure == each.over.figure for each in found)  # type: ignore[union-attr]  # those above


def test_a_ceiling_is_a_ceiling_of_a_target() -> None:
    compared = {(target.over.figure, target.over.subject) for target in targets(FULL) if target.over}
    assert {key for key in CEILINGS.items() if key[0] != "pick-up p95"} <= compared


def test_a_window_is_half_open_and_the_worst_one_counts() -> None:
    assert worst_window([0.0, 0.5, 0.999, 1.0, 3.0], 1.0) == 3
    assert worst_window([7.0], 1.0) == 1
