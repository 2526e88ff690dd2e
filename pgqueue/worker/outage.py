"""What a role says about a database that is away or refuses: when it begins, then once a period, and when it is over.

A database that comes and goes, or a fault that returns with every turn, would fill the log otherwise: what was said
already is not said again within a period, and only an end of which the beginning was told is told.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from pgqueue.events import DatabaseBack, DatabaseLost, Event, Trouble

# Seconds between two lines that say the same.
TELL_EVERY = 60.0
# Different things are told at once, but no more than so many in a period: an error may name what differs every time.
MOST_TOLD = 4


@dataclass(frozen=True, slots=True)
class Stuck:
    """Why a role does not get on, and since when (monotonic); `passing` is whether a fresh process would wait, too."""

    why: str
    since: float
    passing: bool

    @property
    def seconds(self) -> float:
        """For how long already."""
        return time.monotonic() - self.since


class Outage:
    """One role's view of the database. Each method answers the event that is worth telling now, None if there is none.

    `since` is the monotonic time at which the database was lost, None while it is there.
    """

    def __init__(self, role: str) -> None:
        self.since: float | None = None
        self._role = role
        self._told_at: dict[str, float] = {}
        self._end_is_due = False

    def lost(self, what: str, *, refused: bool = False) -> Event | None:
        """The role cannot work, because of `what`: the database is away, or `refused` something."""
        now = time.monotonic()
        if self.since is None:
            self.since = now
        if not self._is_news(what, now):
            return None
        self._end_is_due = True
        return DatabaseLost(self._role, what, now - self.since, refused)

    def over(self) -> Event | None:
        """The role works again."""
        since, self.since = self.since, None
        due, self._end_is_due = self._end_is_due, False
        if since is None or not due:
            return None
        return DatabaseBack(self._role, time.monotonic() - since)

    def trouble(self, what: str) -> Event | None:
        """One turn met an error that has nothing to do with the database's absence."""
        return Trouble(self._role, what) if self._is_news(what, time.monotonic()) else None

    def _is_news(self, what: str, now: float) -> bool:
        self._told_at = {said: at for said, at in self._told_at.items() if now - at < TELL_EVERY}
        if what in self._told_at or len(self._told_at) >= MOST_TOLD:
            return False
        self._told_at[what] = now
        return True
