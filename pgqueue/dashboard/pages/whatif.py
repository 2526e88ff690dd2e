"""How long until no job of a queue waits: as it goes now, and with a change that the address names."""

from __future__ import annotations

from dataclasses import dataclass

from pgqueue.dashboard.database import Busy, Conn, seen
from pgqueue.dashboard.pages.page import Asked
from pgqueue.errors import OptionError
from pgqueue.forecast import NOTE, Basis, Change, Course, change_of, course
from pgqueue.store.forecasting import basis

# Seconds: workers say what they did once a minute.
GOOD_FOR = 15.0


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What was typed, how it goes and would go, and what is wrong with what was typed."""

    slots: str
    pause: str
    rate: str
    into: str
    basis: Basis | None = None
    now: Course | None = None
    then: Course | None = None
    wrong: str | None = None
    note: str = NOTE

    @property
    def is_asked(self) -> bool:
        """Whether a change was typed."""
        return bool(self.slots or self.pause or self.rate or self.into)


def whatif(conn: Conn, asked: Asked, queue: str) -> WhatIf:
    """The forecast that an address asks for; without a change nothing is asked of the database."""
    slots, pause, rate, into = (asked.text(name) or "" for name in ("slots", "pause", "rate", "in"))
    typed = WhatIf(slots, pause, rate, into)
    if not typed.is_asked:
        return typed
    try:
        change = change_of(slots, pause, rate, into)
    except OptionError as error:
        return WhatIf(slots, pause, rate, into, wrong=str(error))
    try:
        found = forecast(conn, asked, queue)
    except Busy as error:
        return WhatIf(slots, pause, rate, into, wrong=str(error))
    return WhatIf(slots, pause, rate, into, found, course(found, Change()), course(found, change))


def forecast(conn: Conn, asked: Asked, queue: str) -> Basis:
    """What is known of a queue, good for a while. Raises Busy."""
    return asked.memory.get(("whatif", queue), GOOD_FOR, lambda: seen(conn, lambda conn: basis(conn, queue)))
