"""Room: how much more the worker may claim, in jobs and in bytes, and whether outcomes may wait for company."""

from __future__ import annotations

from pgqueue.store.jobs import MOST_BYTES
from pgqueue.worker.claiming.held_claims import HeldClaims
from pgqueue.worker.claiming.last_tries import LastTries
from pgqueue.worker.claiming.outbox import Outbox
from pgqueue.worker.claiming.pace import Pace
from pgqueue.worker.claiming.slots import Slots

# Outcomes wait this long for company while the executor has enough to do, or until they are so many: from then on
# the database could already be at work.
LINGER = 0.005
COMPANY = 200
# So many unwritten outcomes, or bytes of results, stop further claims.
OUTBOX_LIMIT, OUTBOX_BYTES = 5_000, 2**25
# So many bytes of arguments are held; but what has a free slot is claimed, however large.
HELD_BYTES = MOST_BYTES
# Keyed jobs are claimed ahead for so many cycles: settle, claim, settle.
CYCLES_AHEAD = 2
# What a claim for free slots may bring beyond that, as a share of what it may bring at most.
BEYOND = 8


class Room:
    """Asks executor, outbox and held claims; decides how much more there may be."""

    def __init__(self, slots: Slots, outbox: Outbox, held: HeldClaims, pace: Pace) -> None:
        self._slots = slots
        self._outbox = outbox
        self._held = held
        self._pace = pace
        # Seconds that a settlement and a claim of keyed jobs took together the last time.
        self.cycle = 0.0
        self.last_tries = LastTries(slots)

    @property
    def jobs(self) -> int:
        """For how many more jobs there is room: free slots, and a little work ahead of them."""
        if self.is_blocked:
            return 0
        ahead = self._pace.ahead if self._held.size < HELD_BYTES else 0
        return self.last_tries.limit(max(0, self._slots.ask(ahead) + ahead - self._slots.load()))

    @property
    def is_blocked(self) -> bool:
        """Whether so much is still to be written that nothing more is claimed."""
        return len(self._outbox) >= OUTBOX_LIMIT or self._outbox.size >= OUTBOX_BYTES

    @property
    def free(self) -> int:
        """How many slots are free: what is claimed for them starts at once."""
        return max(0, self._slots.own - self._slots.load())

    @property
    def ahead_of_keyed(self) -> int:
        """How many keyed jobs are claimed beyond that: so that slots have work until the next claim is there.

        No more of them, as of others: a share that waits is a share wasted, and who comes later waits for their turn.
        """
        return self._pace.ahead_of(CYCLES_AHEAD * self.cycle)

    def size(self, most: int) -> int:
        """How many bytes the next claim may bring, out of `most`."""
        return max(most // BEYOND, min(most, HELD_BYTES - self._held.size))

    @property
    def overfull(self) -> bool:
        """Whether claims wait behind a running job."""
        return self._slots.load() > self._slots.own

    def lingers(self) -> bool:
        """Whether a step can wait a little: it would carry few outcomes, and the executor has enough to do."""
        enough = self._slots.own + (self._pace.ahead // 2 if self._pace.more else 0)
        return self._outbox.due < COMPANY and self._slots.load() > enough

    def linger(self) -> float:
        """Seconds that outcomes are to wait for company now."""
        return LINGER if self.lingers() and 0 < self._outbox.age() < LINGER else 0.0
