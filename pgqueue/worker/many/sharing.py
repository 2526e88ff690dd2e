"""The sharing of one executor's slots among databases.

A claim loop asks how many slots are its own before it claims, and says afterwards whether it would use more. A slot
that was offered is kept for a moment: a database that does not come for it, because it is slow or frozen, loses it to
the others until it asks again. See docs/design/slots-of-many-databases.md.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from time import monotonic

from pgqueue.worker.many.dealing import Wish, dealt

# For so many seconds a slot is kept for a database that was told it may have it.
KEPT = 0.25


class Seat:
    """What the sharing knows of one database, and writes under its lock.

    `load` is how many calls of it the executor has, `promised` how many more it may be about to hand over, `own` how
    many slots it was told are its own.
    """

    def __init__(self) -> None:
        self.load = self.ahead = self.promised = self.own = 0
        # Whether it would use more than it has; when it last said so, or was woken for it; whether it sleeps till then.
        self.wants = self.sleeps = False
        self.asked_at = 0.0
        # When it last got a slot.
        self.served_at = 0.0
        self.wake: Callable[[], None] = lambda: None

    def is_here(self, now: float) -> bool:
        """Whether it may still come for what it wants, or was promised."""
        return self.sleeps or now - self.asked_at < KEPT

    def taken(self, now: float) -> int:
        """How many calls of it the others must reckon with."""
        return self.load + (self.promised if self.is_here(now) else 0)

    def wish(self, slots: int, now: float) -> Wish:
        """What it would use of so many slots."""
        most = slots if self.wants and self.is_here(now) else min(slots, self.taken(now))
        return Wish(most, self.served_at)


class Sharing:
    """Deals `slots` among seats; every method from any thread."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._lock = threading.Lock()  # guards the seats
        self._seats: list[Seat] = []

    def join(self, seat: Seat) -> None:
        """One more takes part."""
        with self._lock:
            self._seats.append(seat)

    def leave(self, seat: Seat) -> None:
        """It takes part no more."""
        with self._lock:
            self._seats = [each for each in self._seats if each is not seat]
            woken = self._next()
        _wake(woken)

    def own(self, seat: Seat, ahead: int) -> int:
        """How many slots this one may use now, the ones that it uses with them; `ahead` as in Allotment."""
        now = monotonic()
        with self._lock:
            seat.ahead, seat.asked_at, seat.wants, seat.sleeps, seat.promised = ahead, now, True, False, 0
            allotted = self._deal(now)[id(seat)]
            # Beyond what it has, only what is free, or will be in a moment.
            seat.promised = max(0, min(allotted - seat.load, self._free(now)))
            seat.own = seat.load + seat.promised if allotted > seat.load else allotted
            return seat.own

    def took(self, seat: Seat, count: int) -> None:
        """It has handed calls to the executor."""
        with self._lock:
            seat.load += count
            seat.promised = max(0, seat.promised - count)
            seat.served_at = monotonic()

    def ended(self, seat: Seat, count: int) -> None:
        """Calls of it have ended, or were given back."""
        with self._lock:
            seat.load -= count
            woken = self._next()
        _wake(woken)

    def want(self, seat: Seat, more: bool) -> None:
        """Whether it would use more; what it was promised and did not take is for others."""
        with self._lock:
            seat.wants, seat.promised, seat.asked_at = more, 0, monotonic()
            woken = self._next()
            # Who has room comes again by itself.
            seat.sleeps = more and seat.own + seat.ahead <= seat.load
        _wake(woken)

    def _deal(self, now: float) -> dict[int, int]:
        """How many slots each may use that uses or wants any, by id()."""
        seats = [each for each in self._seats if each.wants or each.taken(now)]
        given = dealt(self._slots, [each.wish(self._slots, now) for each in seats])
        return {id(each): share for each, share in zip(seats, given, strict=True)}

    def _free(self, now: float) -> int:
        """How many calls more there may be: each database holds some ahead of its slots."""
        return self._slots + sum([min(each.ahead, each.load) - each.taken(now) for each in self._seats])

    def _next(self) -> Sequence[Seat]:
        """Those that sleep and may have a slot now: they are to be woken, outside of the lock."""
        if not any(each.sleeps for each in self._seats):
            return ()
        now = monotonic()
        if (free := self._free(now)) <= 0:
            return ()
        share = self._deal(now)
        may = [each for each in self._seats if each.sleeps and share.get(id(each), 0) > each.load]
        woken = sorted(may, key=lambda each: (each.load, each.served_at))[:free]
        for each in woken:
            each.sleeps, each.asked_at = False, now
        return woken


def _wake(seats: Sequence[Seat]) -> None:
    for seat in seats:
        seat.wake()
