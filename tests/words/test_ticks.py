"""When rules fire, beside a walk over every minute that uses no code of ours and no croniter."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

import pytest

from pgqueue.cron import Cron, Every, ticks_after, zone_of
from tests.words.walk import MINUTE, Walked, at, changes_of, fires, minutes_of

ZONES = (
    "Europe/Oslo",
    "America/New_York",
    "America/St_Johns",
    "America/Caracas",
    "Africa/Casablanca",
    "Asia/Gaza",
    "Asia/Tehran",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Pacific/Apia",
)
RULES = (
    "30 2 * * *",
    "0 0 * * *",
    "45 1-3 * * *",
    "0,20,40 2 * * sun",
    "0 9 * * mon-fri",
    "*/15 2 * * *",
    "0 * * * *",
    "*/25 * * * *",
    "10 0-23/2 * * *",
    "59 23 l * *",
    "30 2 * mar,apr sun#1",
    "15 3 1,15 * fri",
)
TEN_YEARS = (at("2011-01-01"), at("2021-01-01"))
# Round a change of clocks: longer than the longest of them, of a day.
AROUND = timedelta(hours=30)


def ours(rule: str, zone: ZoneInfo, start: datetime, end: datetime) -> list[datetime]:
    """What we say: the ticks from `start` on, before `end`."""
    return list(takewhile(lambda tick: tick < end, ticks_after(Cron(rule), zone, start - MINUTE)))


def local(rule: str, zone: str, after: str, count: int) -> list[str]:
    """The first ticks, in local time with the offset."""
    found = islice(ticks_after(Cron(rule), zone_of(zone), at(after)), count)
    return [tick.astimezone(zone_of(zone)).strftime("%m-%d %H:%M %z") for tick in found]


@pytest.mark.parametrize("name", ZONES)
def test_rules_fire_as_a_walk_over_the_minutes_says_wherever_clocks_change_in_ten_years(name: str) -> None:
    zone = ZoneInfo(name)
    changes = changes_of(zone, *TEN_YEARS)
    assert changes, "a zone without changes shows nothing"
    # All of them, and all minutes between, by the next test.
    for change in changes[::3]:
        start, end = change - AROUND, change + AROUND
        # The walk begins a day before, so that it knows what has been.
        minutes = minutes_of(zone, start - timedelta(days=1), end)
        for rule in RULES:
            walked = [tick for tick in fires(Walked(rule), minutes) if tick >= start]
            assert ours(rule, zone, start, end) == walked, f"{rule} in {name} round {change}"


@pytest.mark.soak
@pytest.mark.parametrize("name", ZONES)
def test_rules_fire_as_a_walk_over_all_minutes_of_ten_years_says(name: str) -> None:
    zone = ZoneInfo(name)
    for year in range(TEN_YEARS[0].year, TEN_YEARS[1].year):
        start, end = at(f"{year}-01-01"), at(f"{year + 1}-01-01")
        minutes = minutes_of(zone, start - timedelta(days=1), end)
        for rule in RULES:
            walked = [tick for tick in fires(Walked(rule), minutes) if tick >= start]
            assert ours(rule, zone, start, end) == walked, f"{rule} in {name} in {year}"


@pytest.mark.parametrize("rule", RULES)
def test_the_next_tick_is_the_same_from_wherever_one_asks(rule: str) -> None:
    zone = ZoneInfo("Australia/Lord_Howe")
    start, end = at("2026-04-03"), at("2026-04-06")
    ticks = ours(rule, zone, start, end + timedelta(days=40))
    for n in range(0, (end - start) // MINUTE, 7):
        asked = start + n * MINUTE
        assert next(ticks_after(Cron(rule), zone, asked)) == next(
            (tick for tick in ticks if tick > asked), None
        ) or not any(tick > asked for tick in ticks)


def test_a_fixed_local_time_fires_once_a_day() -> None:
    assert local("30 2 * * *", "Europe/Oslo", "2026-03-28 12:00", 2) == ["03-29 03:00 +0200", "03-30 02:30 +0200"]
    assert local("30 2 * * *", "Europe/Oslo", "2026-10-24 12:00", 2) == ["10-25 02:30 +0200", "10-26 02:30 +0100"]


def test_several_that_are_skipped_become_one() -> None:
    skipped = local("0,20,40 2 * * *", "Europe/Oslo", "2026-03-28 12:00", 2)
    assert skipped == ["03-29 03:00 +0200", "03-30 02:00 +0200"]


def test_an_hourly_rule_follows_elapsed_hours() -> None:
    autumn = local("0 * * * *", "Europe/Oslo", "2026-10-24 23:30", 4)
    assert autumn == ["10-25 02:00 +0200", "10-25 02:00 +0100", "10-25 03:00 +0100", "10-25 04:00 +0100"]
    spring = local("0 * * * *", "Europe/Oslo", "2026-03-28 23:30", 3)
    assert spring == ["03-29 01:00 +0100", "03-29 03:00 +0200", "03-29 04:00 +0200"]


def test_a_day_that_a_zone_skips_fires_at_the_first_moment_behind_it() -> None:
    found = local("0 9 * * *", "Pacific/Apia", "2011-12-29 00:00", 3)
    assert found == ["12-29 09:00 -1000", "12-31 00:00 +1400", "12-31 09:00 +1400"]


def test_an_interval_is_elapsed_time_whatever_the_clocks_do() -> None:
    start = at("2026-03-28 20:00")
    ticks = list(islice(ticks_after(Every(timedelta(hours=6)), zone_of("Europe/Oslo"), start), 4))
    assert [tick - start for tick in ticks] == [timedelta(hours=6 * n) for n in range(1, 5)]


def test_rules_with_seconds_and_rules_that_are_rare_fire() -> None:
    assert [
        tick.second for tick in islice(ticks_after(Cron("* * * * * */20"), zone_of("UTC"), at("2026-01-01")), 4)
    ] == [
        20,
        40,
        0,
        20,
    ]
    leap = list(islice(ticks_after(Cron("0 0 29 2 *"), zone_of("Europe/Oslo"), at("2096-03-01")), 1))
    assert [tick.year for tick in leap] == [2104]
