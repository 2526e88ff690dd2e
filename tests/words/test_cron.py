"""What a schedule may say, and what becomes of one that is misspelt."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta

import pytest

from pgqueue.cron import Cron, Timing, tzdata_version, zone_of
from pgqueue.errors import OptionError


@pytest.mark.parametrize(
    "text",
    [
        "0 9 * * mon-fri",
        "*/10 8-18 1,15 jan-jun *",
        "0 0 L * *",
        "0 9 * * mon#1",
        "0 9 * * L5",
        "0 9 15w * *",
        "@daily",
        "@Hourly",
        "0 9 * * 7",
        "0 9 * * * 30",
        "  0   9 * * MON ",
        "0 0 29 2 *",
        "0 9 ? * mon",
    ],
)
def test_a_rule_that_is_well_is_taken(text: str) -> None:
    assert Timing(cron=text).cron == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0 9 * * mom-fri", "did you mean '0 9 * * mon-fri'?"),
        ("0 9 * * monday", "did you mean '0 9 * * mon'?"),
        ("0 9 * jna *", "did you mean '0 9 * jan *'?"),
        ("@dialy", "did you mean @daily?"),
        ("@reboot", "it takes @yearly"),
        ("0 0 9 * * mon-fri", "the seconds come last here: '0 9 * * mon-fri 0'"),
        ("* * *", "has 5 fields"),
        ("", "has 5 fields"),
        ("0 9 * * * 0 2026", "has 5 fields"),
        ("61 * * * *", "has numbers from 0 to 59, not 61, in the field minute"),
        ("0 24 * * *", "has numbers from 0 to 23"),
        ("*/90 * * * *", "has steps from 1 to 59, not '90'"),
        ("*/0 * * * *", "has steps from 1 to 59, not '0'"),
        ("0 0 31 2 *", "never matches"),
        ("R * * * *", "each worker would understand in another way"),
        ("H(0-15) * * * *", "each worker would understand in another way"),
        ("9-9 * * * *", "for all there is; write '9'"),
        ("0 9 * * mon#6", "cannot read 'mon#6'"),
        ("-5 * * * *", "cannot read '-5'"),
        ("1,,2 * * * *", "cannot read ''"),
    ],
)
def test_a_rule_that_is_misspelt_is_refused_with_the_nearest_right_one(text: str, said: str) -> None:
    with pytest.raises(OptionError) as refused:
        Timing(cron=text)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Europe/Olso", "did you mean Europe/Oslo?"),
        ("Oslo", "did you mean Europe/Oslo?"),
        ("New York", "did you mean America/New_York?"),
        ("localtime", "write one such as Europe/Oslo"),
        ("../../etc/passwd", "write one such as Europe/Oslo"),
        ("", "write one such as Europe/Oslo"),
    ],
)
def test_a_zone_that_is_misspelt_is_refused_with_the_nearest_right_one(name: str, said: str) -> None:
    with pytest.raises(OptionError) as refused:
        Timing(cron="@daily", timezone=name)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "got neither"),
        ({"cron": "@daily", "every": 5}, "got both"),
        ({"every": 0.5}, "1 second or more"),
        ({"every": timedelta(0)}, "more than 0"),
        ({"every": 60, "timezone": "Europe/Oslo"}, "timezone has no use"),
        ({"every": 60, "catch_up": "some"}, "catch_up must be one of skip, last, all"),
        ({"every": 60, "cap": 5}, 'say catch_up="all"'),
        ({"every": 60, "overlap": "no"}, "overlap must be one of allow, skip"),
        ({"every": 60, "grace": 0}, "grace must be more than 0"),
        ({"every": 60, "jitter": -1}, "jitter must be 0 or more"),
        ({"cron": 5}, "cron must be a text"),
    ],
)
def test_options_of_a_schedule_that_make_no_sense_are_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(OptionError) as refused:
        Timing(**options)  # type: ignore[arg-type]  # that is the point
    assert said in str(refused.value)


def test_a_rule_follows_elapsed_time_if_its_minute_or_hour_begins_with_a_star() -> None:
    found = {text: Cron(text).elapsed for text in ("0 * * * *", "*/15 2 * * *", "0 9 * * *", "0-59 2 * * *", "@hourly")}
    assert found == {
        "0 * * * *": True,
        "*/15 2 * * *": True,
        "0 9 * * *": False,
        "0-59 2 * * *": False,
        "@hourly": True,
    }


def test_the_version_of_the_zones_rules_is_known() -> None:
    zone_of("Europe/Oslo")
    assert len(tzdata_version()) >= 5


def test_who_has_no_rule_does_not_import_croniter() -> None:
    code = "import sys, pgqueue.worker.supervision.roles; print('croniter' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
