"""Retry policies: how long until the next attempt, and which errors deserve one."""

from __future__ import annotations

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


@pytest.mark.parametrize(
    ("policy", "options", "fault"),
    [
        (Fixed, {"cap": 0}, "cap must be more than 0"),
        (Backoff, {"jitter": 1.5}, "jitter is a share"),
        (Delays, {"waits": []}, "at least one wait"),
    ],
)
def test_nonsense_is_refused(policy: Any, options: dict[str, Any], fault: str) -> None:
    with pytest.raises(OptionError, match=fault):
        policy(**options)


def test_seconds_reads_both_forms_of_a_duration() -> None:
    assert seconds(timedelta(minutes=1)) == seconds(60) == 60.0
