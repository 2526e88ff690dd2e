"""How long who guessed wrong waits for the answer."""

from __future__ import annotations

FREE_FAILURES = 5
LONGEST_DELAY = 8.0
# Who failed, or was right: old ones make room.
MOST_REMEMBERED = 1_000
# Tries that wait at once.
MOST_WAITING = 50


def delay(failures: int) -> float:
    """Seconds to wait after so many failures."""
    return 0.0 if failures < FREE_FAILURES else min(LONGEST_DELAY, 0.5 * 2.0 ** min(failures - FREE_FAILURES, 10))
