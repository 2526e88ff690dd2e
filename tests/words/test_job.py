"""Options, ids and states of jobs."""

from __future__ import annotations

import math
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pgqueue.errors import OptionError, UsageError
from pgqueue.ids import new_job_id
from pgqueue.job import JobOptions, JobState, NewJob, option_names


@pytest.mark.parametrize(
    ("option", "value", "fault"),
    [
        ("queue", "", "1 to 500 characters"),
        ("queue", "x" * 501, "1 to 500 characters"),
        ("queue", "a\x00b", "without NUL"),
        ("queue", 5, "1 to 500 characters"),
        ("unique_key", "", "1 to 500 characters"),
        ("priority", 10, "from 0 to 9"),
        ("priority", -1, "from 0 to 9"),
        ("priority", True, "whole number"),
        ("priority", 1.5, "whole number"),
        ("max_attempts", 0, "from 1 to 32767"),
        ("delay", -1, "0 or more"),
        ("delay", math.inf, "less than a century"),
        ("delay", 10**400, "less than a century"),
        ("store_result", "yes", "True or False"),
        ("store_result", 1, "True or False"),
        ("delay", math.nan, "0 or more"),
        ("delay", "5", "seconds or a timedelta"),
        ("delay", 1e12, "less than a century"),
        ("ttl", 0, "more than 0"),
        ("timeout", timedelta(0), "more than 0"),
        ("run_at", datetime(2030, 1, 1), "needs a time zone"),
        ("run_at", "tomorrow", "needs a time zone"),
        ("labels", {"a": 1}, "texts to texts"),
        ("labels", ["a"], "mapping of texts"),
        ("labels", {"a": "\x00"}, "texts to texts"),
        ("job_id", "4711", "uuid.UUID"),
    ],
)
def test_an_option_out_of_its_range_is_refused_with_its_value(option: str, value: Any, fault: str) -> None:
    with pytest.raises(OptionError, match=fault) as caught:
        JobOptions(**{option: value})
    assert option in str(caught.value)
    assert isinstance(caught.value, UsageError)


def test_good_options_are_taken() -> None:
    JobOptions(
        queue="mail",
        priority=9,
        delay=0,
        ttl=timedelta(days=1),
        timeout=math.inf,
        max_attempts=1,
        labels={"tenant": "a"},
        job_id=uuid.uuid4(),
    )
    JobOptions(run_at=datetime.now(UTC))


def test_delay_and_run_at_exclude_each_other() -> None:
    with pytest.raises(OptionError, match="not both"):
        JobOptions(delay=1, run_at=datetime.now(UTC))


def test_options_lie_over_their_defaults() -> None:
    defaults = JobOptions(queue="mail", priority=3, delay=60)
    assert JobOptions(priority=0).over(defaults) == JobOptions(queue="mail", priority=0, delay=60)
    assert JobOptions().over(JobOptions()) == JobOptions()


def test_a_time_of_ones_own_replaces_the_delay_of_the_defaults() -> None:
    at = datetime.now(UTC)
    merged = JobOptions(run_at=at).over(JobOptions(delay=60, queue="mail"))
    assert (merged.run_at, merged.delay, merged.queue) == (at, None, "mail")


def test_what_was_said_keeps_falsy_values() -> None:
    assert JobOptions(priority=0, delay=0, store_result=False).said() == {
        "priority": 0,
        "delay": 0,
        "store_result": False,
    }


def test_over_keeps_the_kind_of_value() -> None:
    job = NewJob("shop.tasks:send", [1], queue="mail").over(JobOptions(priority=7))
    assert job == NewJob("shop.tasks:send", [1], queue="mail", priority=7)
    assert "target" not in option_names()


def test_ids_are_version_7_in_order_of_time_and_all_different() -> None:
    first = new_job_id()
    time.sleep(0.002)
    second = new_job_id()
    assert first < second
    assert (first.version, first.variant) == (7, uuid.RFC_4122)
    assert abs((first.int >> 80) / 1000 - time.time()) < 5
    assert len({new_job_id() for _ in range(10_000)}) == 10_000


def test_three_states_are_ends() -> None:
    assert {state for state in JobState if state.ended} == {JobState.SUCCEEDED, JobState.DEAD, JobState.CANCELLED}
