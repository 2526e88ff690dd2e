"""What a scheduler decides about one schedule: which of its ticks fire, which are left out, and when it is due next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from pgqueue.cron.rule import Cron, Rule
from pgqueue.cron.ticks import ticks_after
from pgqueue.cron.timing import MOST_CAUGHT_UP, CatchUp, rule_of
from pgqueue.cron.zones import zone_of

Why = Literal["due", "caught up", "skipped"]
# Ticks that are decided in one call, at most: what is left is due at once. More than can be caught up.
MOST_TICKS = 2 * MOST_CAUGHT_UP


@dataclass(frozen=True, slots=True)
class Standing:
    """A schedule as the database has it. All ticks up to `last_at` are decided; `next_at` is when it was due."""

    name: str
    cron: str | None
    every: float | None
    timezone: str
    catch_up: CatchUp
    cap: int
    grace: float
    last_at: datetime
    next_at: datetime


class Tick(NamedTuple):
    """A tick, and what becomes of it: it fires, being due or caught up, or is skipped."""

    at: datetime
    why: Why


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of the schedule's ticks, if it still stands as it was; `next_at` is None if it never fires again."""

    name: str
    expected: datetime
    ticks: Sequence[Tick]
    next_at: datetime | None


def decide(standing: Standing, now: datetime) -> Decision:
    """Decide about the ticks up to `now`. Raises OptionError for a rule or a zone that is not known here."""
    rule, zone = rule_of(standing.cron, standing.every), zone_of(standing.timezone)
    missed: list[datetime] = []
    next_at = None
    for tick in _ticks_up_to(rule, zone, standing.last_at, now):
        if tick > now or len(missed) == MOST_TICKS:
            next_at = tick
            break
        missed.append(tick)
    kept = standing.cap if standing.catch_up == "all" else 1
    if next_at is not None and next_at <= now:
        # The last ones may be those that are to be caught up: which are, the next look tells.
        next_at = missed[-kept]
        del missed[-kept:]
        kept = 0
    return Decision(standing.name, standing.next_at, _judged(missed, standing, now, kept), next_at)


def _ticks_up_to(rule: Rule, zone: ZoneInfo, after: datetime, now: datetime) -> Iterable[datetime]:
    """The ticks up to `now`, and at least one behind it, if there is one."""
    if isinstance(rule, Cron):
        first = _first_two(rule, zone, after)
        if len(first) < 2 or first[1] > now:
            return first
    return ticks_after(rule, zone, after)


# Thousands of schedules that fire together have few rules, and have last fired together.
@lru_cache(maxsize=4096)
def _first_two(rule: Cron, zone: ZoneInfo, after: datetime) -> tuple[datetime, ...]:
    return tuple(islice(ticks_after(rule, zone, after), 2))


def _judged(missed: Sequence[datetime], standing: Standing, now: datetime, kept: int) -> list[Tick]:
    in_time = now - timedelta(seconds=standing.grace)
    first_kept = len(missed) - (0 if standing.catch_up == "skip" else kept)
    return [
        Tick(at, "due" if at >= in_time else "caught up" if number >= first_kept else "skipped")
        for number, at in enumerate(missed)
    ]
