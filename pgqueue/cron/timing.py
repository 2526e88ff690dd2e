"""When a schedule fires, and what becomes of ticks that nobody could fire in time: options as values."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import timedelta
from functools import lru_cache
from typing import Any, Literal

from pgqueue.cron.rule import Cron, Every, Rule
from pgqueue.cron.zones import zone_of
from pgqueue.errors import OptionError
from pgqueue.options import Duration, check_choice, check_duration, check_integer
from pgqueue.retry import seconds

CatchUp = Literal["skip", "last", "all"]
Overlap = Literal["allow", "skip"]
# Ticks that are caught up at once, at most.
MOST_CAUGHT_UP = 500
DEFAULT_TIMEZONE = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """A rule, `cron` in a `timezone` or `every` so long, and how it is kept. None means not said.

    `jitter` puts each job off by a random part of it. `catch_up` is which of the ticks fire that are more than `grace`
    late, because no worker lived: none, the last one, or the last `cap` of them. `overlap="skip"` leaves a tick out
    while the job of the one before lives. Raises OptionError.
    """

    cron: str | None = None
    every: Duration | None = None
    timezone: str | None = None
    jitter: Duration | None = None
    catch_up: CatchUp | None = None
    cap: int | None = None
    grace: Duration | None = None
    overlap: Overlap | None = None

    def __post_init__(self) -> None:
        if (self.cron is None) == (self.every is None):
            said = "both" if self.cron is not None else "neither"
            raise OptionError(f"a schedule has cron, such as '0 9 * * mon-fri', or every, such as 300; got {said}")
        check_duration("every", self.every, zero=False, infinite=False)
        if self.every is not None and seconds(self.every) < 1:
            raise OptionError(f"every must be 1 second or more, got {self.every!r}")
        if self.every is not None and self.timezone is not None:
            raise OptionError("every counts elapsed time, so timezone has no use; leave it out, or say cron")
        check_duration("jitter", self.jitter, zero=True, infinite=False)
        check_duration("grace", self.grace, zero=False, infinite=False)
        check_choice("catch_up", self.catch_up, ("skip", "last", "all"))
        check_choice("overlap", self.overlap, ("allow", "skip"))
        check_integer("cap", self.cap, 1, MOST_CAUGHT_UP)
        if self.cap is not None and self.catch_up != "all":
            raise OptionError(f'cap bounds catch_up="all", got {self.catch_up!r}; leave it out, or say catch_up="all"')
        zone_of(DEFAULT_TIMEZONE if self.timezone is None else self.timezone)
        rule_of(self.cron, self.every)

    def said(self) -> dict[str, Any]:
        """What was said, by name, with times in seconds."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        for name in ("every", "jitter", "grace"):
            values[name] = None if values[name] is None else seconds(values[name])
        return {name: value for name, value in values.items() if value is not None}


TIMING_NAMES = frozenset(Timing.__dataclass_fields__)


@lru_cache(maxsize=4096)
def rule_of(cron: str | None, every: Duration | None) -> Rule:
    """The rule that one of the two says. Raises OptionError."""
    if cron is not None:
        return Cron(cron)
    assert every is not None, "a schedule has one of the two"
    return Every(every if isinstance(every, timedelta) else timedelta(seconds=every))
