"""What if a queue had other slots, stood still, or got more: arithmetics on what it did lately, and no promise.

A job that ends takes so many seconds of a slot. So many slots, each busy with this queue for a share of its time, end
so many jobs a second; what they end beyond what comes in drains what waits.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pgqueue.errors import OptionError

NOTE = "arithmetics on the last hour, not a promise"
# Slots, and jobs a second, that nobody has more of; and seconds of a pause.
MOST_SLOTS, MOST_RATE, LONGEST_PAUSE = 1_000_000, 1e9, 366 * 86_400.0
# Nobody waits for a drain that takes longer than three years.
LONGEST_DRAIN = 1e8

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_SLOTS = re.compile(r"[+-]?\d{1,7}", re.ASCII)
_PART = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)([smhd]?)", re.ASCII)
_RATE = re.compile(r"(\d{1,10}(?:\.\d{1,6})?)\s*/\s*([smhd])", re.ASCII)


@dataclass(frozen=True, slots=True)
class Window:
    """Some minutes of the past: jobs a second that came in and that ended, and whether jobs waited for a slot."""

    into: float
    out: float
    waited: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What is known of a queue.

    `ready` jobs wait for `slots` of live workers that serve it, a share of which is `free` now. `run`: how many seconds
    of a slot a job takes until it has ended, with its failures; None if none ended. `windows` are the last hour, the
    newest first. `most_slots` and `most_rate` (jobs a second) are what its limit allows, None without one.
    """

    ready: int
    slots: int
    free: float
    run: float | None
    windows: Sequence[Window]
    most_slots: int | None = None
    most_rate: float | None = None
    paused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is to be another way: slots more or fewer, or `slots_in_all`; a pause first, seconds; jobs a second.

    `into` is how many come in, `rate` how many may begin at most; None is as it was.
    """

    slots: int = 0
    slots_in_all: int | None = None
    pause: float = 0.0
    rate: float | None = None
    into: float | None = None

    @property
    def is_none(self) -> bool:
        """Whether all is to be as it was."""
        return self == Change()

    def slots_of(self, there: int) -> int:
        """How many slots there would be."""
        wanted = there + self.slots if self.slots_in_all is None else self.slots_in_all
        return max(0, min(wanted, MOST_SLOTS))


@dataclass(frozen=True, slots=True)
class Course:
    """How it would go: jobs a second in and out, and in how many seconds no job waits; None is never.

    `soonest` and `latest` are the same by the best and by the worst ten minutes of the last hour. `busy` is the share
    of its time that a slot has for this queue.
    """

    slots: int
    into: float
    out: float
    busy: float
    drain: float | None
    soonest: float | None
    latest: float | None


def course(basis: Basis, change: Change) -> Course | None:
    """How it would go with a change; None if nothing ended lately, so that nobody knows how long a job takes."""
    windows = _telling(basis.windows)
    if not basis.run or not windows:
        return None
    slots = change.slots_of(basis.slots)
    if basis.most_slots is not None:
        slots = min(slots, max(basis.most_slots, 0))
    paces = [_pace(basis, change, slots, window) for window in windows]
    into, out = (sum(values) / len(values) for values in zip(*paces, strict=True))
    drain = _drain(basis.ready, change.pause, into, out)
    drains = [drain, *(_drain(basis.ready, change.pause, *pace) for pace in paces)]
    known = [each for each in drains if each is not None]
    busy = sum(_busy(basis, window) for window in windows) / len(windows)
    return Course(
        slots, into, out, min(1.0, busy), drain, min(known, default=None), None if None in drains else max(known)
    )


def change_of(
    slots: str | None = None, pause: str | None = None, rate: str | None = None, into: str | None = None
) -> Change:
    """A change as people type it: `+8`, `-2` or `20` slots; `10m`; `50/s`. Raises OptionError."""
    change = Change(
        pause=_seconds("pause", pause) if pause else 0.0,
        rate=_per_second("rate", rate) if rate else None,
        into=_per_second("in", into) if into else None,
    )
    if not slots:
        return change
    text = slots.strip()
    if not _SLOTS.fullmatch(text) or abs(int(text)) > MOST_SLOTS:
        raise OptionError(f"slots read +8 (more), -2 (fewer) or 20 (in all), got {slots[:40]!r}")
    if text[0] in "+-":
        return replace(change, slots=int(text))
    return replace(change, slots_in_all=int(text))


def _telling(windows: Sequence[Window]) -> Sequence[Window]:
    """Without those in which it stood still though jobs waited: paused, or nobody there. None, if nothing ended."""
    moving = [window for window in windows if window.out > 0 or not window.waited]
    return moving if any(window.out > 0 for window in moving) else []


def _pace(basis: Basis, change: Change, slots: int, window: Window) -> tuple[float, float]:
    """Jobs a second in and out, as in this window but for the change."""
    assert basis.run is not None
    out = slots * _busy(basis, window) / basis.run
    for most in (basis.most_rate, change.rate):
        out = out if most is None else min(out, most)
    return window.into if change.into is None else change.into, out


def _busy(basis: Basis, window: Window) -> float:
    """The share of its time that a slot has for this queue: what it had, and, where none waited, what it had left."""
    assert basis.run is not None
    if not basis.slots:
        return 1.0
    had = window.out * basis.run / basis.slots
    return had if window.waited else max(had, min(1.0, had + basis.free))


def _drain(ready: int, pause: float, into: float, out: float) -> float | None:
    """Seconds until no job waits; None is never."""
    waiting = ready + into * pause
    if waiting <= 0:
        return 0.0
    if out <= into:
        return None
    return min(pause + waiting / (out - into), LONGEST_DRAIN)


def _seconds(name: str, text: str) -> float:
    parts = _PART.findall(text.strip())
    if not parts or "".join(number + unit for number, unit in parts) != text.strip():
        raise OptionError(f"{name} reads like 10m, 90s or 1h30m, got {text[:40]!r}")
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if seconds > LONGEST_PAUSE:
        raise OptionError(f"{name} is a year at most, got {text[:40]!r}")
    return seconds


def _per_second(name: str, text: str) -> float:
    found = _RATE.fullmatch(text.strip())
    if found is None or (rate := float(found[1]) / _UNITS[found[2]]) > MOST_RATE:
        raise OptionError(f"{name} reads like 50/s, 600/m or 1000/h, got {text[:40]!r}")
    return rate
