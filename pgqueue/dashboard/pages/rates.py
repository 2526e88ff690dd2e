"""How fast queues fill and empty, for pages that can do without."""

from __future__ import annotations

from datetime import timedelta

from pgqueue.dashboard.database import Busy, Conn, seen
from pgqueue.dashboard.pages.page import Asked
from pgqueue.store import causes, execute, rates
from pgqueue.store.causes import NewCause
from pgqueue.store.rates import Rates

# What was first met in it is new.
# Seconds: workers say what they did once a minute.
GOOD_FOR = 5.0
LATELY, MOST_NEW = timedelta(hours=1), 20


def rates_of(conn: Conn, asked: Asked) -> dict[str, Rates]:
    """The rates of the queues that exist for who asks; none where it took too long."""
    found = asked.memory.get("rates", GOOD_FOR, lambda: _rates(conn))
    return {name: each for name, each in found.items() if asked.user.sees(name)}


def _rates(conn: Conn) -> dict[str, Rates]:
    try:
        return seen(conn, lambda conn: execute(conn, rates.rates()))
    except Busy:
        return {}


def new_causes(conn: Conn, asked: Asked) -> list[NewCause]:
    """Causes that were first met lately, or again; for those alone who see all queues."""
    return [] if asked.user.queues is not None else asked.memory.get("new causes", GOOD_FOR, lambda: _new(conn))


def _new(conn: Conn) -> list[NewCause]:
    try:
        return seen(conn, lambda conn: execute(conn, causes.new(LATELY, MOST_NEW)))
    except Busy:
        return []
