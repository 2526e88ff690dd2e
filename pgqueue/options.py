"""What the value of an option must be; each check says what was wrong with it, and what to do."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from pgqueue.errors import OptionError

Duration = float | timedelta


def check_name(option: str, value: str | None) -> None:
    """A name: of a queue, a key."""
    if value is None:
        return
    if not isinstance(value, str) or not value or len(value) > 500 or not _is_storable(value):
        raise OptionError(
            f"{option} must be a text of 1 to 500 characters without NUL or lone surrogates, got {value!r:.80}"
        )


def check_integer(option: str, value: int | None, low: int, high: int) -> None:
    """A whole number within bounds."""
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise OptionError(f"{option} must be a whole number from {low} to {high}, got {value!r}")


def check_duration(option: str, value: Duration | None, *, zero: bool, infinite: bool) -> None:
    """Seconds or a timedelta, of less than a century."""
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float | timedelta):
        raise OptionError(f"{option} must be seconds or a timedelta, got {value!r}")
    length = value.total_seconds() if isinstance(value, timedelta) else value
    if math.isnan(length) or length < 0 or (length == 0 and not zero) or (math.isinf(length) and not infinite):
        raise OptionError(f"{option} must be {'0 or more' if zero else 'more than 0'} seconds, got {value!r}")
    # A century: past it PostgreSQL's timestamps and everybody's patience end.
    if length > 3.2e9 and not math.isinf(length):
        raise OptionError(f"{option} must be less than a century, got {value!r}")


def check_run_at(run_at: datetime | None, delay: Duration | None) -> None:
    """A moment with a time zone, and no `delay` beside it."""
    if run_at is None:
        return
    if delay is not None:
        raise OptionError("give delay or run_at, not both")
    if not isinstance(run_at, datetime) or run_at.tzinfo is None:
        raise OptionError(f"run_at needs a time zone, got {run_at!r}; use datetime.now(timezone.utc) + ...")
    # What every driver can read back; PostgreSQL's own check is a year wider, whatever the zone.
    if not 1901 <= run_at.year <= 9998:
        raise OptionError(f"run_at must be in a year from 1901 to 9998, got {run_at!r}")


def check_labels(labels: Mapping[str, str] | None) -> None:
    """A mapping of texts to texts."""
    if labels is None:
        return
    if not isinstance(labels, Mapping):
        raise OptionError(f"labels must be a mapping of texts, got {labels!r:.80}")
    for key, value in labels.items():
        if not isinstance(key, str) or not isinstance(value, str) or not _is_storable(key + value):
            raise OptionError(
                f"labels must map texts to texts without NUL or lone surrogates, got {key!r:.80}: {value!r:.80}"
            )


def check_choice(option: str, value: str | None, choices: Collection[str]) -> None:
    """One of a few words."""
    if value is not None and value not in choices:
        raise OptionError(f"{option} must be one of {', '.join(choices)}, got {value!r}")


def check_flag(option: str, value: bool | None) -> None:
    """True or False, and nothing that merely counts as such."""
    if value is not None and not isinstance(value, bool):
        raise OptionError(f"{option} must be True or False, got {value!r}")


def check_errors(option: str, value: Any) -> None:
    """Exception types, in a tuple."""
    kinds = value if isinstance(value, tuple) else (value,)
    wrong = [kind for kind in kinds if not (isinstance(kind, type) and issubclass(kind, BaseException))]
    if wrong or not isinstance(value, tuple):
        raise OptionError(f"{option} must be a tuple of exception types, got {value!r:.80}")


def _is_storable(text: str) -> bool:
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
