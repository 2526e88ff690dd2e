"""Which of the ticks fire that nobody could fire in time."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from pgqueue.cron import CatchUp, Standing, decide
from pgqueue.cron.deciding import MOST_TICKS

NOW = datetime(2026, 5, 1, 12, 0, 30, tzinfo=UTC)


def standing(missed: timedelta, catch_up: CatchUp = "last", **changes: object) -> Standing:
    """A schedule that fires each minute, and whose ticks are decided up to some time ago."""
    values: dict[str, object] = {
        "name": "s",
        "cron": "* * * * *",
        "every": None,
        "timezone": "UTC",
        "catch_up": catch_up,
        "cap": 100,
        "grace": 60.0,
        "last_at": NOW - missed,
        "next_at": NOW - missed,
    }
    return Standing(**{**values, **changes})  # type: ignore[arg-type]  # as its fields


def whys(standing: Standing) -> list[str]:
    return [tick.why for tick in decide(standing, NOW).ticks]


def test_a_tick_in_time_fires_whatever_is_said_about_missed_ones() -> None:
    for catch_up in ("skip", "last", "all"):
        assert whys(standing(timedelta(seconds=40), catch_up)) == ["due"]


def test_all_ticks_within_grace_fire() -> None:
    found = decide(standing(timedelta(seconds=40), "skip", cron="* * * * * */10"), NOW)
    assert [tick.why for tick in found.ticks] == ["due"] * 4
    assert found.next_at == NOW + timedelta(seconds=10)


@pytest.mark.parametrize(
    ("catch_up", "cap", "expected"),
    [
        ("skip", 100, ["skipped"] * 5),
        ("last", 100, ["skipped"] * 4 + ["caught up"]),
        ("all", 100, ["caught up"] * 5),
        ("all", 2, ["skipped"] * 3 + ["caught up"] * 2),
    ],
)
def test_missed_ticks_are_caught_up_as_said(catch_up: CatchUp, cap: int, expected: list[str]) -> None:
    hours = standing(timedelta(hours=5), catch_up, cap=cap, cron="30 * * * *")
    assert whys(hours) == expected


def test_a_missed_tick_is_not_caught_up_behind_one_in_time() -> None:
    assert whys(standing(timedelta(minutes=5))) == ["skipped"] * 4 + ["due"]


@pytest.mark.parametrize(("catch_up", "cap", "fired"), [("skip", 100, 0), ("last", 100, 1), ("all", 300, 300)])
def test_very_many_missed_ticks_are_decided_in_portions_and_as_many_fire(
    catch_up: CatchUp, cap: int, fired: int
) -> None:
    now = NOW.replace(minute=59, second=30) + timedelta(hours=2)
    schedule = standing(
        timedelta(minutes=5_000), catch_up, cap=cap, cron="*/2 * * * *", last_at=now - timedelta(days=7)
    )
    ticks = []
    while True:
        decision = decide(schedule, now)
        assert 0 < len(decision.ticks) <= MOST_TICKS
        ticks += decision.ticks
        assert decision.next_at is not None
        if decision.next_at > now:
            break
        schedule = standing(timedelta(0), catch_up, cap=cap, cron="*/2 * * * *", last_at=decision.ticks[-1].at)
    assert [tick.at for tick in ticks] == [ticks[0].at + n * timedelta(minutes=2) for n in range(7 * 720)]
    counted = Counter(tick.why for tick in ticks)
    assert counted["caught up"] + counted["due"] == fired
    assert all(tick.why != "skipped" for tick in ticks[len(ticks) - fired :])


def test_a_rule_that_matches_no_more_never_fires_again() -> None:
    late = standing(timedelta(0), cron="0 0 29 2 *", last_at=datetime(8999, 1, 1, tzinfo=UTC))
    assert decide(late, datetime(8999, 1, 2, tzinfo=UTC)).next_at is None
