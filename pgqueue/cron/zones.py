"""Time zones: by name, with the nearest right one; when their clocks change; whose rules these are."""

from __future__ import annotations

import difflib
import importlib
import zoneinfo
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from pgqueue.errors import OptionError

# No zone has changed its clocks twice within this.
_STEP = timedelta(hours=6)
_SECOND = timedelta(seconds=1)
# What a machine may have, each another.
_OF_THE_MACHINE = frozenset({"localtime", "posixrules", "Factory"})


class UnknownZone(OptionError):
    """No zone of this name is known here; another machine may know it."""


class Change(NamedTuple):
    """The first moment of a new offset, and both offsets."""

    at: datetime
    before: timedelta
    after: timedelta


def zone_of(name: str) -> zoneinfo.ZoneInfo:
    """The zone of this name. Raises UnknownZone, which names the nearest one."""
    if not isinstance(name, str):
        raise UnknownZone(f"timezone must be a name such as 'Europe/Oslo', got {name!r:.80}")
    try:
        if name in _OF_THE_MACHINE:
            raise ValueError
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise UnknownZone(f"timezone knows no {name!r:.80}{_meant_by(name)}") from None


def offset_at(zone: zoneinfo.ZoneInfo, at: datetime) -> timedelta:
    """How far local time is ahead of UTC."""
    offset = at.astimezone(zone).utcoffset()
    assert offset is not None, "a zone has an offset at every moment"
    return offset


def changes_between(zone: zoneinfo.ZoneInfo, start: datetime, end: datetime) -> list[Change]:
    """The changes of clocks behind `start`, up to `end`, in order."""
    years = range(start.year, end.year + 1)
    return [change for year in years for change in _changes_in(zone, year) if start < change.at <= end]


@lru_cache(maxsize=8192)
def _changes_in(zone: zoneinfo.ZoneInfo, year: int) -> tuple[Change, ...]:
    found = []
    at, end = datetime(year, 1, 1, tzinfo=UTC) - _SECOND, datetime(year + 1, 1, 1, tzinfo=UTC) - _SECOND
    offset = offset_at(zone, at)
    while at < end:
        then = min(at + _STEP, end)
        if (new := offset_at(zone, then)) != offset:
            found.append(Change(_first_of(zone, at, then, offset), offset, new))
            offset = new
        at = then
    return tuple(found)


def _first_of(zone: zoneinfo.ZoneInfo, low: datetime, high: datetime, offset: timedelta) -> datetime:
    """The first second behind `low` that has another offset; `high` has."""
    while high - low > _SECOND:
        middle = low + timedelta(seconds=(high - low) // _SECOND // 2)
        low, high = (middle, high) if offset_at(zone, middle) == offset else (low, middle)
    return high


@cache
def tzdata_version() -> str:
    """Whose rules this process computes by, such as `2026a`: of the machine, else of the package; `` if unknown."""
    for folder in map(Path, zoneinfo.TZPATH):
        if (folder / "Europe").is_dir():
            return _version_in(folder)
    try:
        package = importlib.import_module("tzdata")
    except ModuleNotFoundError:
        return ""
    return str(package.IANA_VERSION)


def _version_in(folder: Path) -> str:
    for name in ("+VERSION", "tzdata.zi"):
        try:
            with (folder / name).open(errors="replace") as text:
                return text.readline(100).removeprefix("# version ").strip()
        except OSError:
            continue
    return ""


def _meant_by(name: str) -> str:
    known = sorted(zoneinfo.available_timezones() - _OF_THE_MACHINE)
    if not known:
        return "; this machine has no time zones: install the package tzdata"
    wanted = str(name).strip().replace(" ", "_").lower()
    places = {zone.rpartition("/")[2].lower(): zone for zone in known if "/" in zone}
    whole = {zone.lower(): zone for zone in known}
    near = difflib.get_close_matches(wanted, whole, n=1, cutoff=0.7) or None
    if near is not None:
        return f"; did you mean {whole[near[0]]}?"
    near = difflib.get_close_matches(wanted.rpartition("/")[2], places, n=1, cutoff=0.7)
    return f"; did you mean {places[near[0]]}?" if near else "; write one such as Europe/Oslo, or UTC"
