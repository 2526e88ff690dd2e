"""Retry policies: how long until the next attempt, and which errors deserve one."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgqueue.errors import OptionError
from pgqueue.retry import DEFAULT_RETRY, Backoff, Delays, Fixed, Linear, RetryPolicy, seconds


def test_the_default_retries_for_twenty_days() -> None:
    waits = [DEFAULT_RETRY.wait(failures) for failures in range(25)]
    assert waits[:3] == [15, 16, 31]
    assert round(sum(waits) / 86_400, 1) == 20.4


@pytest.mark.parametrize(
    ("policy", "waits"),
    [
        (Backoff(first=5, factor=2), [5, 10, 20, 40]),
        (Linear(step=60), [60, 120, 180, 240]),
        (Fixed(7), [7, 7, 7, 7]),
        (Delays([1, 5]), [1, 5, 5, 5]),
    ],
)
def test_policies_wait_as_they_say(policy: RetryPolicy, waits: list[float]) -> None:
    assert [policy.wait(failures) for failures in range(4)] == waits


POLICIES: list[RetryPolicy] = [RetryPolicy(), Backoff(), Linear(), Fixed(), Delays()]


@given(st.sampled_from(POLICIES), st.integers(1, 40_000))
def test_a_delay_has_its_jitter_and_never_exceeds_its_cap(policy: RetryPolicy, attempt: int) -> None:
    least = policy.wait(attempt - 1)
    delay = policy.delay(attempt)
    assert min(least, policy.cap) <= delay <= min(policy.cap, least * (1 + policy.jitter))


def test_without_jitter_a_delay_is_exact() -> None:
    assert Fixed(7, jitter=0).delay(3) == 7
    assert Backoff(first=5, jitter=0, cap=8).delay(2) == 8


def test_only_named_errors_are_retried() -> None:
    policy = Fixed(on=(OSError, ValueError), not_on=FileNotFoundError)
    assert policy.retries(ConnectionError())
    assert not policy.retries(FileNotFoundError())
    assert not policy.retries(KeyError())
    assert DEFAULT_RETRY.retries(SystemExit())


WAITS: list[tuple[Any, str]] = [(RetryPolicy, "cap"), (Backoff, "first"), (Linear, "step"), (Fixed, "every")]
NO_WAITS = [math.nan, math.inf, -math.inf, -5, "60", None, True, 1e12, 10**400, [5], timedelta(days=-1)]


@pytest.mark.parametrize(("policy", "option"), WAITS)
def test_a_wait_may_be_a_timedelta(policy: Any, option: str) -> None:
    assert policy(**{option: timedelta(minutes=5)}) == policy(**{option: 300})
    assert policy(**{option: timedelta(minutes=5)}, jitter=0).delay(1) <= 300


@pytest.mark.parametrize("wrong", NO_WAITS, ids=str)
@pytest.mark.parametrize(("policy", "option"), WAITS)
def test_what_is_no_wait_is_refused_where_it_is_written(policy: Any, option: str, wrong: Any) -> None:
    with pytest.raises(OptionError, match=f"^{option} must be "):
        policy(**{option: wrong})


@pytest.mark.parametrize("wrong", NO_WAITS, ids=str)
def test_a_list_of_waits_is_checked_one_by_one(wrong: Any) -> None:
    assert Delays([timedelta(seconds=1), timedelta(minutes=5)]) == Delays((1, 300))
    with pytest.raises(OptionError, match=r"^waits\[1\] must be "):
        Delays([1, wrong])


@pytest.mark.parametrize(
    ("policy", "options", "fault"),
    [
        (RetryPolicy, {"cap": 0}, "cap must be more than 0"),
        (Backoff, {"jitter": 1.5}, "jitter must be a number from 0 to 1, got 1.5"),
        (Fixed, {"jitter": math.nan}, "jitter must be a number from 0 to 1, got nan"),
        (Fixed, {"jitter": "0.1"}, "jitter must be a number"),
        (Backoff, {"factor": 0.5}, "factor must be a number from 1 to 1000"),
        (Backoff, {"factor": math.inf}, "factor must be a number from 1 to 1000"),
        (Backoff, {"factor": timedelta(2)}, "factor must be a number"),
        (Delays, {"waits": []}, "at least one wait"),
        (Delays, {"waits": "60"}, "waits must be a list"),
        (Delays, {"waits": 60}, "waits must be a list"),
        (Delays, {"waits": {1, 2}}, "waits must be a list"),
    ],
)
def test_nonsense_is_refused(policy: Any, options: dict[str, Any], fault: str) -> None:
    with pytest.raises(OptionError, match=fault):
        policy(**options)


@pytest.mark.parametrize("kinds", [[ValueError], {ValueError}, (ValueError,), ValueError], ids=repr)
def test_error_types_may_be_one_or_in_any_collection(kinds: Any) -> None:
    assert not Fixed(not_on=kinds).retries(ValueError())
    assert Fixed(not_on=kinds).retries(OSError())
    assert Fixed(on=kinds).retries(ValueError())
    assert not Fixed(on=kinds).retries(OSError())


@pytest.mark.parametrize(
    ("policy", "option", "advice"),
    [
        (Backoff, "base", "say first"),
        (Backoff, "max_delay", "say cap"),
        (Fixed, "interval", "say every"),
        (Linear, "steps", r"did you mean step\?"),
        (RetryPolicy, "max_retries", r"say max_attempts in @task\(...\), which counts the first"),
        (Delays, "colour", "it takes cap, jitter, on, not_on, waits"),
    ],
)
def test_a_word_of_another_queue_is_answered_with_ours(policy: Any, option: str, advice: str) -> None:
    with pytest.raises(OptionError, match=f"^{policy.__name__} takes no option '{option}': {advice}"):
        policy(**{option: 5})


@pytest.mark.parametrize("option", ["on", "not_on"])
@pytest.mark.parametrize("wrong", [[ValueError()], "ValueError", [int], None, ValueError(), ("ValueError",)], ids=repr)
def test_what_is_no_error_type_is_refused(option: str, wrong: Any) -> None:
    with pytest.raises(OptionError, match=f"^{option} must be types of exceptions"):
        Fixed(**{option: wrong})


def test_seconds_reads_both_forms_of_a_duration() -> None:
    assert seconds(timedelta(minutes=1)) == seconds(60) == 60.0
