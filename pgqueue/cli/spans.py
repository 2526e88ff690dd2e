"""Seconds and rates in few characters."""

from __future__ import annotations

from datetime import timedelta

from pgqueue.cli.output import rounded

MILLI, SHORT = 0.001, 10.0
FEW = 10


def brief_seconds(seconds: float | None) -> str | None:
    """Two digits of a time: `<1 ms`, `80 ms`, `1.2 s`, `38 s`, `4 min`."""
    if seconds is None:
        return None
    if seconds < MILLI:
        return "<1 ms"
    if seconds < 1:
        return f"{float(f'{seconds * 1000:.2g}'):g} ms"
    if seconds < SHORT:
        return f"{seconds:.1f} s"
    return rounded(timedelta(seconds=seconds))


class Rate(float):
    """A number of jobs a minute: shown whole, unless they are few."""

    def __str__(self) -> str:
        return f"{float(self):.1f}" if 0 < self < FEW else f"{float(self):,.0f}"


def per_minute(rate: float | None) -> Rate | None:
    """A rate, for a table; None is not known."""
    return None if rate is None else Rate(rate)
