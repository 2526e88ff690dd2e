"""The self-test of who listens: a notification to ourselves arrives in time, or listening does not work."""

from __future__ import annotations

import time

from pgqueue.errors import DatabaseUnreachable

SELF_TEST_EVERY = 30.0
SELF_TEST_DEADLINE = 5.0
# Listening anew mends what a broken connection did; after that it is no accident.
LASTING = 2


class SelfTest:
    """Told of what was sent and heard; decides whether who listens is deaf."""

    def __init__(self) -> None:
        self._tested_at = 0.0
        self._sent_at: float | None = None
        self._failed = 0

    @property
    def passed(self) -> bool:
        """Whether nothing speaks against listening."""
        return self._failed == 0

    @property
    def deaf(self) -> bool:
        """Whether listening anew did not help either."""
        return self._failed >= LASTING

    def began(self) -> None:
        """Listening has begun on a new connection: after a failure it is tested at once."""
        self._sent_at = None
        self._tested_at = time.monotonic() if self.passed else 0.0

    def due(self) -> bool:
        """Whether a notification is to be sent now. Raises DatabaseUnreachable at the first one that did not arrive."""
        now = time.monotonic()
        if self._sent_at is not None:
            if now - self._sent_at <= SELF_TEST_DEADLINE:
                return False
            self._sent_at = None
            self._failed += 1
            if not self.deaf:
                raise DatabaseUnreachable("listening does not work here: a notification to ourselves was lost")
        if now - self._tested_at < SELF_TEST_EVERY:
            return False
        self._tested_at = self._sent_at = now
        return True

    def heard(self) -> None:
        """The notification arrived."""
        self._sent_at = None
        self._failed = 0

    def wait(self) -> float:
        """Seconds until due() is to be asked again."""
        now = time.monotonic()
        if self._sent_at is not None:
            return max(0.0, self._sent_at + SELF_TEST_DEADLINE - now) + 0.001
        return max(0.0, self._tested_at + SELF_TEST_EVERY - now)
