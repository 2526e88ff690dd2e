"""The stepper: makes one step of a batch and an offer, no larger than is answered in time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from uuid import UUID

from pgqueue import instruments
from pgqueue.events import Finished
from pgqueue.instruments import RoundTrip
from pgqueue.outcome import Move
from pgqueue.store import execute, execute_beside, jobs, together
from pgqueue.store import keyed as store_keyed
from pgqueue.store.jobs import Step
from pgqueue.store.outages import is_lost, is_refusal
from pgqueue.worker.claiming.gathering import BATCH_BYTES, Basket
from pgqueue.worker.claiming.held_claims import HeldClaims, weight
from pgqueue.worker.claiming.keyed import Keyed, KeyedAnswer
from pgqueue.worker.claiming.offer import Answer, Offer
from pgqueue.worker.claiming.outbox import Outbox, written_size
from pgqueue.worker.claiming.portion import Portion
from pgqueue.worker.claiming.room import Room
from pgqueue.worker.claiming.settler import disbelieve, settle_others, was_refused
from pgqueue.worker.loop import Connection

# A claim that brought this share of the bytes that it might is full: PostgreSQL counts other bytes than we do.
FULL_SHARE = 1 / 8
_SUCCEED = Move.SUCCEED


class Stepper:
    """Takes batches from the outbox, and answers what a step brought; used by the claim loop."""

    def __init__(
        self,
        worker: int,
        outbox: Outbox,
        held: HeldClaims,
        room: Room,
        deadline: float,
        timed: Callable[[float], None],
    ) -> None:
        self._worker = worker
        self._outbox = outbox
        self._held = held
        self._room = room
        self._timed = timed
        self._portion = Portion(deadline)
        # How long the last step took.
        self._step_seconds = 0.0

    def batch(self) -> list[Finished]:
        """The outcomes that the next step may carry, oldest first."""
        return self._outbox.first(self._portion.rows, self._portion.size)

    def limit(self, room: int) -> int:
        """How many jobs the next step may claim where there is room for so many."""
        return min(room, self._portion.rows)

    def step(self, conn: Connection, batch: Sequence[Finished], offer: Offer, room: int) -> Answer:
        """Settle the batch, and claim from what is offered. What it claimed is not yet held."""
        settlements = [done.settlement for done in batch]
        successes = [settlement for settlement in settlements if settlement.move is _SUCCEED]
        late = frozenset[UUID]()
        if len(successes) < len(batch):
            batch = disbelieve(conn, self._worker, batch)
            late = settle_others(conn, self._worker, [done.settlement for done in batch])
        limit = self.limit(room) if offer.slots else 0
        size = self._room.size(self._portion.size)
        statement = jobs.step(
            self._worker,
            successes,
            offer.slots,
            offer.lag,
            limit,
            self._held.unknown.epoch,
            most_bytes=size,
            ordered=offer.ordered,
        )
        began = time.monotonic()
        try:
            step = execute_beside(conn, statement, self._held.tell)
        except Exception as error:
            if is_lost(conn, error) or not was_refused(error):
                self._held.unknown.suspect()
            raise
        ended = time.monotonic()
        self._step_seconds = ended - began
        self._timed(ended - began)
        self._held.settled(batch, late | step.late, step.now, began)
        claimed = step.claims + step.expired
        if instruments.on_round_trip:
            server = conn.info.host, conn.info.port
            trip = RoundTrip(time.time() - (ended - began), ended - began, batch, step.claims, server)
            instruments.tell_round_trip(trip)
        brought = weight(claimed)
        self._portion.answered(max(len(batch), len(claimed)), brought + written_size(batch), ended - began)
        full = limit > 0 and (len(claimed) >= limit or brought > size * FULL_SHARE)
        return Answer(step, ended, ended - began, len(successes), full)

    def claim_companions(self, conn: Connection, basket: Basket, most_attempts: int) -> Step:
        """Claim what a batch lacks, as far as there is any behind its first job. What it claimed is not yet held."""
        statement = together.claim_companions(
            basket.lead,
            self._held.unknown.epoch,
            basket.asked_to,
            self.limit(basket.lacks),
            most_attempts=most_attempts,
            most_bytes=self._room.size(max(1, BATCH_BYTES - basket.bytes)),
        )
        began = time.monotonic()
        try:
            found = execute(conn, statement)
        except Exception as error:
            if is_lost(conn, error) or not was_refused(error):
                self._held.unknown.suspect()
            raise
        self._timed(time.monotonic() - began)
        basket.asked_to = found.seen or basket.asked_to
        return found.step

    def claim_keyed(
        self, conn: Connection, keyed: Keyed, room: int, *, searching: bool, beyond: int = 0
    ) -> KeyedAnswer | None:
        """Claim keyed jobs where there is room for so many; None if there is no room. What it claimed is not yet held.

        What has a rate is claimed for free slots alone: what starts later than it was counted may bunch with others.
        So many more `beyond` that may join a batch.
        """
        free = self._room.free + beyond
        limit = min(self.limit(room + beyond), free + self._room.ahead_of_keyed)
        if limit <= 0:
            return None
        slots, look = keyed.offer(time.monotonic(), searching=searching)
        if (question := keyed.asks) is not None:
            look = keyed.means(execute(conn, question))
        statement = store_keyed.claim(
            self._worker,
            self._held.unknown.epoch,
            slots,
            limit,
            free=free,
            visits=keyed.visits(limit),
            look=look,
            most_bytes=self._room.size(self._portion.size),
            careful=keyed.careful(time.monotonic()),
        )
        began = time.monotonic()
        try:
            found = execute(conn, statement)
        except Exception as error:
            keyed.failed()
            if is_lost(conn, error) or not was_refused(error):
                self._held.unknown.suspect()
            elif not is_refusal(error):
                # Of one row, perhaps: from now on each is tried by itself.
                keyed.refused(time.monotonic())
            raise
        ended = time.monotonic()
        self._timed(ended - began)
        if instruments.on_round_trip:
            server = conn.info.host, conn.info.port
            trip = RoundTrip(time.time() - (ended - began), ended - began, (), found.step.claims, server)
            instruments.tell_round_trip(trip)
        answer = KeyedAnswer(found, ended, ended - began)
        self._room.cycle = self._step_seconds + answer.cost
        keyed.answered(answer, limit)
        if found.unadopted:
            execute(conn, store_keyed.adopt())
        return answer

    def unanswered(self, seconds: float) -> None:
        """A step has taken so long, and was not answered."""
        self._portion.unanswered(seconds)
