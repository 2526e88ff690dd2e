"""The clock by which a worker believes in its lease: it goes on while the machine sleeps, as the database's does."""

from __future__ import annotations

import time

# Linux: time.monotonic() stands still in a suspended machine, and the lease would seem younger than it is.
_BOOTTIME: int | None = getattr(time, "CLOCK_BOOTTIME", None)


def lease_clock() -> float:
    """Seconds that only differences have a meaning of; never goes back."""
    return time.monotonic() if _BOOTTIME is None else time.clock_gettime(_BOOTTIME)
