"""Gathering: claims of batch tasks wait here, by task and limit key, until their batch is full or its time has come.

The first claim of a batch comes as any other does. What it lacks is then asked for by its own statement, which looks
a bounded way behind it; jobs that have limits come as those let them, through the claims of keyed jobs. A batch that
gathers has a slot of the executor reserved. See docs/design/batches.md.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from pgqueue.company import Batching
from pgqueue.job import BatchClaim, Claim
from pgqueue.judge import Terms
from pgqueue.store.jobs import MOST_BYTES
from pgqueue.store.together import Place

# While a batch waits it asks this often, and not more often than LEAST seconds; and once at the end.
ASKS, LEAST = 4, 0.01
# Arguments of a batch amount to no more bytes than this, and one job.
BATCH_BYTES = MOST_BYTES


class _Key(NamedTuple):
    """What jobs have in common that run in one call. Those with limits are claimed in another way."""

    target: str
    limit_key: str | None
    has_limits: bool
    attempt: int


@dataclass(slots=True)
class Basket:
    """A batch that gathers. Times are monotonic; `asked_to` is up to where its slot was looked through."""

    size: int
    go_at: float
    ask_every: float
    ask_at: float
    asked_to: Place
    has_limits: bool
    claims: list[Claim] = field(default_factory=list)
    bytes: int = 0

    @property
    def lead(self) -> Claim:
        """The first claim."""
        return self.claims[0]

    @property
    def lacks(self) -> int:
        """How many more it may take."""
        return 0 if self.bytes >= BATCH_BYTES else max(0, self.size - len(self.claims))


class Gathering:
    """Filled and emptied by the claim loop; cancel() and dissolve() come from other threads.

    `batching` says which tasks run batches, `terms` what tasks say of attempts; both may learn more at any time.
    """

    def __init__(self, batching: Callable[[], Mapping[str, Batching]], terms: Callable[[str], Terms | None]) -> None:
        self._batching = batching
        self._terms = terms
        self._lock = threading.Lock()  # guards _baskets and what is in them
        self._baskets: dict[_Key, Basket] = {}

    def __len__(self) -> int:
        return len(self._baskets)

    def gathers(self, claims: Sequence[Claim]) -> bool:
        """Whether any of these is to wait for others."""
        known = self._batching()
        return bool(known) and any(claim.target in known for claim in claims)

    def sort(self, claims: Sequence[Claim], keys: Mapping[UUID, str], *, has_limits: bool) -> list[Claim]:
        """Keep what is to wait for others; answers what is to be run now, batches that are full with it."""
        known = self._batching()
        now = time.monotonic()
        ready: list[Claim] = []
        with self._lock:
            for claim in claims:
                how = known.get(claim.target)
                size = 1 if how is None else how.company(claim, self._most_attempts(claim))
                if how is None or size == 1:
                    ready.append(claim)
                else:
                    key = _Key(claim.target, keys.get(claim.id), has_limits, claim.attempt)
                    ready += self._add(key, claim, size, how.wait, now)
        return ready

    def due(self, now: float) -> list[Claim]:
        """Take out the batches whose time has come."""
        with self._lock:
            return [self._taken(key) for key, basket in tuple(self._baskets.items()) if basket.go_at <= now]

    def asking(self, now: float) -> list[Basket]:
        """The batches for which more jobs are to be asked for now: each asks in its time, and at its end."""
        if not self._baskets:
            return []
        with self._lock:
            asking = [each for each in self._baskets.values() if each.ask_at <= now and each.lacks]
            for basket in asking:
                basket.ask_at = now + basket.ask_every
            return asking

    def most_attempts(self, claim: Claim) -> int:
        """How many attempts a job of this one's task has that does not say so itself."""
        return claim._replace(max_attempts=None).most_attempts(self._most_attempts(claim))

    def next_in(self, now: float) -> float | None:
        """Seconds until there is something to do; None if nothing waits here."""
        if not self._baskets:
            return None
        with self._lock:
            times = [min(each.go_at, each.ask_at) if each.lacks else each.go_at for each in self._baskets.values()]
        return max(0.0, min(times) - now) if times else None

    def cancel(self, ids: Collection[UUID]) -> list[Claim]:
        """Take these jobs out."""
        return self._take_out(lambda claim: claim.id in ids) if self._baskets else []

    def dissolve(self) -> list[Claim]:
        """Take out all of them: nothing more begins."""
        return self._take_out(lambda _: True)

    def _add(self, key: _Key, claim: Claim, size: int, wait: float, now: float) -> list[Claim]:
        basket = self._baskets.get(key)
        if basket is None:
            every = max(LEAST, wait / ASKS)
            basket = Basket(size, now + wait, every, now, (claim.run_at, claim.id), key.has_limits)
            self._baskets[key] = basket
        basket.claims.append(claim)
        basket.bytes += len(claim.args)
        return [] if basket.lacks else [self._taken(key)]

    def _taken(self, key: _Key) -> Claim:
        return BatchClaim.of(self._baskets.pop(key).claims)

    def _take_out(self, wanted: Callable[[Claim], bool]) -> list[Claim]:
        out: list[Claim] = []
        with self._lock:
            for key, basket in tuple(self._baskets.items()):
                out += [claim for claim in basket.claims if wanted(claim)]
                basket.claims = [claim for claim in basket.claims if not wanted(claim)]
                if not basket.claims:
                    del self._baskets[key]
        return out

    def _most_attempts(self, claim: Claim) -> int | None:
        terms = self._terms(claim.target)
        return None if terms is None else terms.max_attempts
