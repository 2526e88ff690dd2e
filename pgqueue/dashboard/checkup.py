"""What the doctor finds, asked once in a while however many look: its questions are more than a page's."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock

from pgqueue.database import address_of
from pgqueue.doctor import Verdict, diagnose

# Seconds for which findings are good.
GOOD_FOR = 30.0


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found, and when."""

    verdicts: Sequence[Verdict]
    at: datetime


class Checkup:
    """The doctor of one database."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        # Held while it is asked: who comes meanwhile waits for the same answer.
        self._lock = Lock()
        self._found: Findings | None = None
        self._until = 0.0

    def __call__(self) -> Findings:
        """What stands now, or stood a moment ago. Raises DatabaseUnreachable."""
        with self._lock:
            if self._found is None or time.monotonic() > self._until:
                self._found = Findings(list(diagnose(address_of(self._dsn))), datetime.now(UTC))
                self._until = time.monotonic() + GOOD_FOR
            return self._found
