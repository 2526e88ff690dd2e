"""The pace: when the worker claims next, and how many claims ahead of its free slots.

Ahead of free slots it claims what the executor got through in AHEAD_SECONDS, measured all the time. While batches come
back full it claims on; after a short one it probes after 5, 10, 20 ... milliseconds up to the poll interval, or when
something is known to be coming.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence

# Claimed ahead of free slots: what the executor got through in this many seconds, at most MOST_AHEAD.
AHEAD_SECONDS = 0.1
MOST_AHEAD = 2000
FIRST_PROBE = 0.005
# An enqueue tells of what falls due within ten seconds (enqueue_job.sql); of what is later only a look can tell.
HERALDED = 10.0
# Without LISTEN polling is no safety net but the pace.
DEAF_POLL = 1.0
# The speed is measured over this many seconds or more; twice as long and only the last measure counts.
MEASURE_EVERY = 0.02


class Pace:
    """Told of speed, wake-ups and answers; decides when, and how many. All times are monotonic seconds.

    `more` is whether the last batch was full; `woken` whether somebody said that there is work.
    """

    def __init__(self, poll: float, deaf: Callable[[], bool]) -> None:
        self.more = False
        self.woken = True
        self.claim_at = 0.0
        self._poll = poll
        self._deaf = deaf
        self._probe = FIRST_PROBE
        self._per_second = 0.0
        self._measured_at = time.monotonic()
        self._total = 0

    @property
    def ahead(self) -> int:
        """How many claims more than there are free slots."""
        return min(MOST_AHEAD, int(self._per_second * AHEAD_SECONDS))

    def ahead_of(self, seconds: float) -> int:
        """How many of those the executor gets through in so many seconds."""
        return min(self.ahead, int(self._per_second * seconds))

    def measure(self, now: float, total: int) -> None:
        """The executor has ended `total` attempts up to now."""
        elapsed = now - self._measured_at
        if elapsed >= MEASURE_EVERY:
            # A pause weighs as much as it lasted: behind a long job nothing is claimed ahead.
            weight = min(1.0, elapsed / (2 * MEASURE_EVERY))
            self._per_second += weight * ((total - self._total) / elapsed - self._per_second)
            self._measured_at, self._total = now, total

    def remind(self, at: float) -> None:
        """There may be work, but a claim is not worth it before this time."""
        self.claim_at = min(self.claim_at, at)

    def claimed(self, now: float, *, short: bool, coming: Sequence[float], searching: bool = False) -> None:
        """A claim was answered, `short` if with less than it asked for; at the times of `coming` there may be more.

        `searching` is whether it is still being found out where.
        """
        self.more = searching or not short
        probe_at = now + self._probe * random.uniform(0.9, 1.0)
        # While the worker stays hungry nothing goes unheard; so probes begin anew only after it was busy.
        interval = min(self._poll, DEAF_POLL if self._deaf() else HERALDED)
        if not searching:
            self._probe = min(self._probe * 2, interval) if short else FIRST_PROBE
        self.claim_at = min(probe_at, *coming) if coming else probe_at

    def due(self, now: float) -> bool:
        """Whether a claim is worth a round trip of its own."""
        return self.more or self.woken or now >= self.claim_at

    def wait(self, now: float) -> float:
        """Seconds until a claim is due, if nobody wakes the worker before."""
        return 0.0 if self.woken else max(0.0, self.claim_at - now)
