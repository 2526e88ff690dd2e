"""Rules: a cron expression over local time, or an interval of elapsed time. The only user of croniter."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from pgqueue.cron.fields import fault_in, fields_of
from pgqueue.errors import OptionError

# From here a rule is tried: one that matches no day of the next 50 years never will.
_TRIAL = datetime(2000, 1, 1)


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron rule. Raises OptionError for one that is misspelt, or never matches.

    `elapsed` is whether it follows elapsed time where clocks are changed: its hour or minute begins with `*`, the rule
    of cron(8). Any other is a fixed local time.
    """

    text: str

    def __post_init__(self) -> None:
        if not isinstance(self.text, str):
            raise OptionError(f"cron must be a text such as '0 9 * * mon-fri', got {self.text!r:.80}")
        if (fault := fault_in(self.text)) is not None:
            raise OptionError(f"cron {fault}")
        try:
            matched = next(self.matches_after(_TRIAL), None)
        except ValueError as error:
            raise OptionError(f"cron cannot be read, got {self.text!r:.80}: {error}") from None
        if matched is None:
            raise OptionError(f"cron never matches, got {self.text!r:.80}; look at its day and its month")

    @property
    def elapsed(self) -> bool:
        minute, hour, *_ = fields_of(self.text)
        return minute.startswith("*") or hour.startswith("*")

    def matches_after(self, local: datetime) -> Iterator[datetime]:
        """The naive local times that match, each later than `local`, in order."""
        # Its own zones are never entered: they fire twice, or not at all, where clocks are changed.
        matcher = copy.copy(_matcher(self.text))
        matcher.set_current(local, force=True)
        while True:
            try:
                yield matcher.get_next(datetime)
            except ValueError as error:
                if type(error).__name__ != "CroniterBadDateError":
                    raise
                return


@dataclass(frozen=True, slots=True)
class Every:
    """An interval of elapsed time, which no change of clocks touches."""

    interval: timedelta


Rule = Cron | Every


@lru_cache(maxsize=4096)
def _matcher(text: str) -> Any:
    # Loaded with the first rule: who has no schedules never waits for it.
    from croniter import croniter

    return croniter(" ".join(fields_of(text)), _TRIAL)
