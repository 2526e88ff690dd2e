"""The ticks of a rule: the moments at which it fires.

Matches are found over naive local times, between one change of the zone's clocks and the next, where local time only
runs forward. So a rule that follows elapsed time fires twice at a local time that occurs twice, and not at all at one
that is skipped. A fixed local time fires once: where it occurs twice at the first, where it is skipped at the first
moment behind the gap, at which several become one.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from pgqueue.cron.rule import Cron, Every, Rule
from pgqueue.cron.zones import changes_between, offset_at

_NONE, _SECOND = timedelta(0), timedelta(seconds=1)
# No clocks have been put back by more: a change of sides of the date line.
_LONGEST_REPEAT = timedelta(hours=25)
# So far ahead changes are looked for at a time.
_WINDOW = timedelta(days=200)
# What PostgreSQL, and every driver, can hold.
_LAST = datetime(9000, 1, 1, tzinfo=UTC)


def ticks_after(rule: Rule, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """The ticks later than `after`, in order, in UTC. Endless but for a rule that matches no more."""
    if isinstance(rule, Every):
        return _elapsed(rule.interval, after.astimezone(UTC))
    return (tick for tick in _local(rule, zone, after.astimezone(UTC)) if tick > after)


def _elapsed(interval: timedelta, after: datetime) -> Iterator[datetime]:
    while (after := after + interval) < _LAST:
        yield after


def _local(cron: Cron, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """The ticks from the second of `after` on."""
    # Up to where local time has been: what lies before it is being repeated.
    reached = datetime.min
    for change in changes_between(zone, after - _LONGEST_REPEAT, after):
        reached = max(reached, _naive(change.at, change.before))
    last: datetime | None = None
    for stretch in _stretches(zone, after):
        low, high = _naive(stretch.start, stretch.offset), _naive(stretch.end, stretch.offset)
        if not cron.elapsed:
            # Of what is skipped on the way into this stretch, one at its first moment.
            low = min(low, max(reached, low - stretch.skipped))
        match = None
        for match in cron.matches_after(low - _SECOND):
            if match >= high:
                break
            tick = max(stretch.start, (match - stretch.offset).replace(tzinfo=UTC))
            if (cron.elapsed or match >= reached) and tick != last:
                last = tick
                yield tick
        if match is None:
            return
        reached = max(reached, high)


class _Stretch(NamedTuple):
    """From one change of clocks to the next; `skipped` is how far they were put forward at its start."""

    start: datetime
    end: datetime
    offset: timedelta
    skipped: timedelta


def _stretches(zone: ZoneInfo, start: datetime) -> Iterator[_Stretch]:
    offset, skipped = offset_at(zone, start), _NONE
    while start < _LAST:
        window = start + _WINDOW
        for change in changes_between(zone, start, window):
            yield _Stretch(start, change.at, offset, skipped)
            start, offset, skipped = change.at, change.after, max(_NONE, change.after - change.before)
        yield _Stretch(start, window, offset, skipped)
        start, skipped = window, _NONE


def _naive(at: datetime, offset: timedelta) -> datetime:
    return at.replace(tzinfo=None) + offset
