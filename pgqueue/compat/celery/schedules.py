"""Celery's schedules, as rules of ours."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from pgqueue.elsewhere import missing_name
from pgqueue.errors import OptionError
from pgqueue.options import Duration

_WORD = re.compile(r"[A-Za-z]{3,}")


class crontab:  # as Celery calls it
    """A cron rule, in the time zone of the app. What is not said is every one."""

    def __init__(
        self,
        minute: Any = "*",
        hour: Any = "*",
        day_of_week: Any = "*",
        day_of_month: Any = "*",
        month_of_year: Any = "*",
        nowfun: None = None,
        app: object = None,
    ) -> None:
        if nowfun is not None:
            raise OptionError("crontab takes no nowfun here: the database's clock decides; say timezone in the app")
        self.minute, self.hour, self.day_of_week = minute, hour, day_of_week
        self.day_of_month, self.month_of_year = day_of_month, month_of_year
        fields = (minute, hour, day_of_month, month_of_year, day_of_week)
        self.rule = " ".join(_field(each) for each in fields)
        days, weekdays = self.rule.split(" ")[2], self.rule.split(" ")[4]
        if days != "*" and weekdays != "*":
            raise OptionError(
                f"crontab asks for day_of_month {days} and day_of_week {weekdays}: in cron either is enough, in Celery"
                " both are needed; say one of them, and look at the other in the task"
            )

    def __repr__(self) -> str:
        return f"<crontab: {self.rule}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, crontab) and self.rule == other.rule

    def __hash__(self) -> int:
        return hash(self.rule)


class schedule:
    """Every so often: seconds, or a timedelta."""

    def __init__(self, run_every: Duration, relative: bool = False, nowfun: None = None, app: object = None) -> None:
        self.run_every = run_every

    def __repr__(self) -> str:
        return f"<freq: {self.run_every}>"


def timing_of(said: Any, timezone: str) -> dict[str, Any]:
    """When a periodic task is due, as pgqueue.schedule() takes it. Raises OptionError."""
    match said:
        case crontab():
            return {"cron": said.rule, "timezone": timezone}
        case schedule():
            return {"every": said.run_every}
        case timedelta() | int() | float():
            return {"every": said}
    raise OptionError(f"a schedule is seconds, a timedelta or a crontab, got {said!r:.80}")


def _field(said: Any) -> str:
    if isinstance(said, str):
        text = re.sub(r"\s+", "", said)
    elif isinstance(said, Iterable):
        text = ",".join(map(str, sorted(said, key=str) if isinstance(said, set | frozenset) else said))
    else:
        text = str(said)
    # Celery reads a day or a month by its first three letters.
    return _WORD.sub(lambda word: word[0][:3].lower(), text)


def __getattr__(name: str) -> Any:
    return missing_name(__name__, name, {"solar": "let a crontab fire often, and look at the sun in the task"})
