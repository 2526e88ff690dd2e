"""Priorities: the framework's, from -100 to 100, as ours, from 0 to 9. Whoever says more never runs behind less."""

from __future__ import annotations

from bisect import bisect_left

# Up to which of the framework's each of ours goes. What nobody says, 0, is 5; the small numbers that people say differ
# from it.
_UP_TO = (-100, -71, -41, -11, -1, 0, 10, 40, 70)
# Of the framework's those that stand for ours.
_SHOWN = (-100, -99, -70, -40, -10, 0, 10, 40, 70, 100)


def of(priority: int) -> int:
    """The priority of a job."""
    return bisect_left(_UP_TO, priority)


def said(priority: int) -> int:
    """A priority of the framework's that stands for one of ours."""
    return _SHOWN[priority]
