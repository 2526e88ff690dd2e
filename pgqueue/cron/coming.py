"""The coming ticks of a rule by the clock of its zone, with the changes of that clock between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from pgqueue.cron.rule import Rule
from pgqueue.cron.ticks import ticks_after
from pgqueue.cron.zones import zone_of


@dataclass(frozen=True, slots=True)
class Time:
    """A time at which a rule fires; `clocks` says by how much the zone's clocks were changed since the one before."""

    local: datetime
    utc: datetime
    clocks: str | None


def coming(rule: Rule, timezone: str, after: datetime) -> Iterator[Time]:
    """The times at which a rule fires behind a moment, in order. Endless but for a rule that matches no more."""
    zone = zone_of(timezone)
    before = after.astimezone(zone).utcoffset() or timedelta(0)
    for tick in ticks_after(rule, zone, after):
        local = tick.astimezone(zone)
        offset = local.utcoffset() or timedelta(0)
        yield Time(local, tick, _change(before, offset))
        before = offset


def _change(before: timedelta, now: timedelta) -> str | None:
    if before == now:
        return None
    minutes = abs(now - before) // timedelta(minutes=1)
    length = f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"
    return f"clocks go {'forward' if now > before else 'back'} {length} before it"
