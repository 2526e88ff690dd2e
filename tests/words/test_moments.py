"""Moments that have been, as people say them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from pgqueue.errors import UsageError
from pgqueue.search import past_moment

# A Saturday, 11:30 in Vienna.
NOW = datetime(2026, 11, 28, 10, 30, tzinfo=UTC)
VIENNA = ZoneInfo("Europe/Vienna")


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("03:12", "2026-11-28T02:12Z"),
        ("11:31", "2026-11-27T10:31Z"),
        ("11:31:07", "2026-11-27T10:31:07Z"),
        ("03:12 UTC", "2026-11-28T03:12Z"),
        ("03:12 America/New_York", "2026-11-28T08:12Z"),
        ("2h ago", "2026-11-28T08:30Z"),
        ("2 hours ago", "2026-11-28T08:30Z"),
        ("1h30m ago", "2026-11-28T09:00Z"),
        ("90m", "2026-11-28T09:00Z"),
        ("yesterday 03:12", "2026-11-27T02:12Z"),
        ("Yesterday  03:12", "2026-11-27T02:12Z"),
        ("yesterday", "2026-11-26T23:00Z"),
        ("today 03:12", "2026-11-28T02:12Z"),
        ("monday 03:12", "2026-11-23T02:12Z"),
        ("sat 03:12", "2026-11-28T02:12Z"),
        ("sat 23:00", "2026-11-21T22:00Z"),
        ("2026-11-20", "2026-11-19T23:00Z"),
        ("2026-11-20 03:12", "2026-11-20T02:12Z"),
        ("2026-11-20T03:12+02:00", "2026-11-20T01:12Z"),
        ("2026-11-20T03:12Z", "2026-11-20T03:12Z"),
        ("2026-07-20 03:12", "2026-07-20T01:12Z"),
        ("now", "2026-11-28T10:30Z"),
    ],
)
def test_a_moment_is_read_in_its_zone(said: str, meant: str) -> None:
    assert past_moment(said, NOW, VIENNA) == datetime.fromisoformat(meant)


@pytest.fixture
def in_vienna(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    import time

    monkeypatch.setenv("TZ", "Europe/Vienna")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("in_vienna")
def test_without_a_zone_it_is_this_machines_time() -> None:
    assert past_moment("03:12", NOW) == datetime(2026, 11, 28, 2, 12, tzinfo=UTC)
    assert past_moment("yesterday 11:31", NOW) == datetime(2026, 11, 27, 10, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    "said", ["tomorrow", "25:12", "03:12 Nowhere/Here", "", "ago", "mo 03:12", "x" * 500, "99999999w ago"]
)
def test_what_is_no_moment_is_refused_with_what_one_reads_like(said: str) -> None:
    with pytest.raises(UsageError, match="a moment reads"):
        past_moment(said, NOW, VIENNA)


@pytest.mark.parametrize("said", ["today 23:00", "2031-05-01", (NOW + timedelta(seconds=1)).isoformat()])
def test_what_is_to_come_is_refused(said: str) -> None:
    with pytest.raises(UsageError, match="is to come"):
        past_moment(said, NOW, VIENNA)
