"""What the value of an option must be; each check says what was wrong with it, and what to do."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from pgqueue.errors import OptionError

Duration = float | timedelta
# A century: what PostgreSQL's clock can still add.
LONGEST_SECONDS = 3.2e9


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
        raise OptionError(f"{option} must be seconds or a timedelta, got {value!r:.80}")
    # No question that turns an int into a float: one of 400 digits cannot be.
    length = value.total_seconds() if isinstance(value, timedelta) else value
    if not (length >= 0 if zero else length > 0):
        raise OptionError(f"{option} must be {'0 or more' if zero else 'more than 0'} seconds, got {value!r:.80}")
    if length > LONGEST_SECONDS and not (infinite and length == math.inf):
        raise OptionError(f"{option} must be less than a century, got {value!r:.80}")


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
    if value is not None and (not isinstance(value, str) or value not in choices):
        raise OptionError(f"{option} must be one of {', '.join(choices)}, got {value!r:.80}")


def check_flag(option: str, value: bool | None) -> None:
    """True or False, and nothing that merely counts as such."""
    if value is not None and not isinstance(value, bool):
        raise OptionError(f"{option} must be True or False, got {value!r:.80}")


def check_number(option: str, value: Any, low: float, high: float) -> None:
    """A number within bounds, both included."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise OptionError(f"{option} must be a number from {low:g} to {high:g}, got {value!r:.80}")


def error_types(option: str, value: Any) -> tuple[type[BaseException], ...]:
    """Exception types as isinstance() takes them; they may be given as one, or in a tuple, list or set.

    Raises OptionError.
    """
    kinds = (value,) if isinstance(value, type) else value
    if not isinstance(kinds, tuple | list | set | frozenset) or not all(
        isinstance(kind, type) and issubclass(kind, BaseException) for kind in kinds
    ):
        raise OptionError(
            f"{option} must be types of exceptions such as (ConnectionError, TimeoutError), got {value!r:.80}"
        )
    return tuple(kinds)


def _is_storable(text: str) -> bool:
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
