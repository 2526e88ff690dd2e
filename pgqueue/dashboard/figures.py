"""Numbers, times and texts as people read them: each says what it is, and nothing that a job wrote steers the page."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta, tzinfo
from math import floor, log10
from typing import Any

from markupsafe import Markup

from pgqueue.encryption import in_words
from pgqueue.printable import in_lines

UNKNOWN = "–"
# Characters of a text that a page shows, and of one in a table.
LONGEST, SHORT = 65_536, 300
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))
_SIZES = ((1e12, "T"), (1e9, "B"), (1e6, "M"))


def visible(text: str) -> str:
    """A text without what would steer whoever reads it: control characters, turned directions, invisible letters."""
    if len(text) <= LONGEST:
        return in_lines(text)
    return f"{in_lines(text[:LONGEST])}… ({len(text):,} characters)"


def shown(value: Any) -> Any:
    """What an expression of a template becomes before it is escaped."""
    if isinstance(value, Markup):
        return value
    if isinstance(value, str):
        return visible(in_words(str(value)))
    return UNKNOWN if value is None else value


def short(text: str | None, most: int = SHORT) -> str:
    """The beginning of a text, on one line."""
    if text is None:
        return UNKNOWN
    line = " ".join(text[: most + 1].split())
    return f"{line[:most]}…" if len(text) > most else line


def number(value: int | None, estimated: bool = False, most: int | None = None) -> Markup:
    """`312` exact, `≈ 3.1 M` estimated, `> 1,000` where no more were counted; a dash where it is not known."""
    if value is None:
        return Markup('<span class="none" title="not known">–</span>')
    if most is not None and value >= most:
        return Markup('<span class="about" title="counted up to here">&gt;&nbsp;{}</span>').format(f"{most:,}")
    if estimated:
        return Markup('<span class="about" title="estimated from a sample">≈&nbsp;{}</span>').format(_rounded(value))
    if value == 0:
        return Markup('<span class="none">0</span>')
    if value >= 1_000_000:
        return Markup('<span title="{}">{}</span>').format(
            f"{value:,}", f"{value:,}" if value < 10**9 else _sized(value)
        )
    return Markup("{}").format(f"{value:,}")


def figure(row: Any, name: str) -> Markup:
    """A number of a row that names those of its numbers which are estimates."""
    estimated: Collection[str] = row.estimated
    return number(getattr(row, name), name in estimated)


def lasting(length: timedelta | float | None) -> str:
    """How long something took or takes: `80 ms`, `0.4 s`, `12 s`, `4 min`, `2 h 5 min`, `3 d 4 h`."""
    if length is None:
        return UNKNOWN
    seconds = length.total_seconds() if isinstance(length, timedelta) else float(length)
    sign, seconds = ("−" if seconds < 0 else ""), abs(seconds)
    if seconds < 0.0995:
        return f"{sign}{round(seconds * 1000)} ms"
    if seconds < 9.95:
        return f"{sign}{seconds:.1f} s"
    if seconds < 59.5:
        return f"{sign}{round(seconds)} s"
    return sign + _in_units(round(seconds))


def moment(value: datetime | None, zone: tzinfo | None = None, *, relative: bool = True) -> Markup:
    """A time, by the clock of the zone; the page makes it the browser's, and `relative` ones say how long ago."""
    if value is None:
        return Markup('<span class="none">–</span>')
    utc = value.astimezone(UTC)
    said = f"{utc.astimezone(zone or UTC):%Y-%m-%d %H:%M:%S}"
    named = f"{said} {utc.astimezone(zone or UTC):%Z}"
    return Markup('<time datetime="{}" title="{}"{}>{}</time>').format(
        utc.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        named,
        Markup(" data-ago") if relative else "",
        said,
    )


def brief_id(job_id: Any) -> str:
    """The beginning of a job's id, which tells when it was made, and its end, which tells it from its neighbours."""
    text = str(job_id)
    return f"{text[:8]}…{text[-4:]}"


def target(name: str) -> Markup:
    """A target with its function before its module: that is what tells it from others."""
    module, colon, function = short(name, 200).partition(":")
    if not colon:
        return Markup('<span class="target"><b>{}</b></span>').format(visible(module))
    return Markup('<span class="target"><span>{}:</span><wbr><b>{}</b></span>').format(
        visible(module), visible(function)
    )


def _rounded(value: int) -> str:
    if value == 0:
        return "0"
    digits = floor(log10(value)) - 1
    rounded = round(value, -digits) if digits > 0 else value
    return _sized(rounded) if rounded >= 1_000_000 else f"{rounded:,}"


def _sized(value: float) -> str:
    for size, letter in _SIZES:
        if value >= size:
            return f"{value / size:.3g} {letter}"
    return f"{value:,.0f}"


def _in_units(seconds: int) -> str:
    for place, (unit, name) in enumerate(_UNITS):
        if seconds >= unit:
            whole, rest = divmod(seconds, unit)
            if whole >= 1_000:
                return f"{whole:,} {name}"
            below = _UNITS[place + 1] if place + 1 < len(_UNITS) else (1, "s")
            more = rest // below[0]
            return f"{whole} {name} {more} {below[1]}" if more and whole < 10 else f"{whole} {name}"
    return f"{seconds} s"
