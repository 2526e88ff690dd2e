"""Served queues: which slots the next step claims from, whether the worker serves few queues or very many.

Of few queues all slots are claimed from in every step, in the exact order of their heads. Of many a step is offered
those that are known to have something (many_queues.py). Shares and ageing (shares.py, ageing.py) hold for both.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from pgqueue.store import execute, queues
from pgqueue.store.jobs import Slot
from pgqueue.worker.claiming.ageing import Ageing
from pgqueue.worker.claiming.bounds import Bounds
from pgqueue.worker.claiming.budget import Budget
from pgqueue.worker.claiming.many_queues import ManyQueues
from pgqueue.worker.claiming.offer import Answer, Offer
from pgqueue.worker.claiming.shares import Shares
from pgqueue.worker.loop import Connection
from pgqueue.worker.selection import Selection

# So many queues are looked at in every step.
FEW = 10
# For the few that a glob means no more names than these are looked through; where there are more, rounds find them.
MOST_NAMES = 100
# A notification names a queue by no more of its name (wake.sql).
PAYLOAD = 500
# So many unknown names a second are looked at, once those that were saved up are used up. Anybody may notify.
STRANGERS, STRANGERS_SAVED = 2.0, 20
# What was named beyond that is found by the next look at all queues, so soon at the earliest, in seconds.
STRANGERS_PAUSE = 1.0


class Served:
    """The queues of a selection: told of what is heard and of each step's answer; offers slots to the next.

    Times are monotonic seconds. `burst` is whether the worker ends when nothing is left: then it rests before no look.
    """

    def __init__(self, selection: Selection, ageing: Ageing, *, poll: float, burst: bool) -> None:
        names = selection.names
        self._selection = selection
        self._ageing = ageing
        self._shares = Shares(selection)
        self._names = None if names is None else {name[:PAYLOAD]: name for name in names}
        self._poll = poll
        self._burst = burst
        self._names_at = 0.0
        # How many notifications there were: one that comes while the names are asked for is not in the answer.
        self._heard = 0
        self._forget = False
        self._strangers = Budget(STRANGERS, STRANGERS_SAVED)
        self._few_names: dict[str, None] = {}
        self._few = Bounds([])
        self._many: ManyQueues | None = None
        self._serve(names or [])

    @property
    def described(self) -> dict[str, str]:
        """Where the next claim begins, for people."""
        return self._few.described() if self._many is None else self._many.described

    def hear(self, name: str, now: float) -> float | None:
        """A notification names a queue: in how many seconds to claim, or None if it concerns nobody here."""
        self._heard += 1
        if self._names is not None:
            queue = self._names.get(name)
            if queue is not None and self._many is not None:
                self._many.hear(queue)
            return None if queue is None else 0.0
        if len(name) < PAYLOAD and not self._selection.serves(name):
            return None
        many = self._many
        if (name in self._few_names if many is None else many.knows(name)) or self._strangers.take(now) <= 0:
            if many is not None:
                many.hear(name)
            elif name not in self._few_names:
                self._names_at = 0.0
            return 0.0
        self._names_at = min(self._names_at, now + STRANGERS_PAUSE)
        if many is not None:
            many.look_around()
        return STRANGERS_PAUSE

    def look_around(self) -> None:
        """There may be work in any queue, new ones too; from any thread."""
        self._names_at = 0.0
        if self._many is not None:
            self._many.look_around()

    def begin_anew(self) -> None:
        """Forget what is believed about queues and bounds; from any thread."""
        self._forget = True

    def due(self, now: float) -> bool:
        """Whether something is to be claimed from now, whatever the pace says."""
        return self._many is not None and self._many.due(now)

    def searching(self, now: float) -> bool:
        """Whether a look at all queues is under way that has found nothing yet."""
        return self._many is not None and self._many.searching(now)

    def swept(self, now: float) -> bool:
        """Whether all queues were looked at, and left nothing that can be claimed."""
        return self._few.look_below_at is None if self._many is None else self._many.swept(now)

    @property
    def coming(self) -> list[float]:
        """When there will be something to look at, as far as is known."""
        if self._many is not None:
            return self._many.coming
        names_at = self._names_at if self._names is None else None
        return [at for at in (self._few.look_below_at, names_at) if at is not None]

    def offer(self, conn: Connection, now: float, room: int, *, going: bool, due: bool, searching: bool) -> Offer:
        """The slots for a step that may claim `room` jobs; `going` is whether it goes anyway, `due` whether for them.

        Asks for the names of queues, or looks around, where that is due: an idle worker that is `searching` does so.
        """
        if self._forget:
            self._forget = False
            self._names_at = 0.0
            self._serve(list(self._few_names if self._names is None else self._names.values()))
        if self._many is None and self._names is None and (self._burst or searching or now >= self._names_at):
            self._names_at, heard = now + self._poll, self._heard
            self._serve_found(conn)
            if self._heard != heard:
                self._names_at = 0.0
        if self._many is None:
            return self._in_order(conn, *self._few.slots(now))
        offer = self._many.offer(conn, now, room, going=going, looking=due)
        seen = self._many.queues_seen
        if self._names is None and not offer.slots and seen is not None and seen < FEW // 2:
            # Few are left, and they are better served all at once.
            self._many, self._names_at = None, 0.0
        return offer

    def claimed(self, answer: Answer) -> None:
        """What the step answered that was made of the last offer."""
        if answer.claims:
            self._strangers.refill()
        self._shares.claimed(answer.claims, full=answer.full)
        self._ageing.claimed(self._shares.last, full=answer.full)
        if self._many is not None:
            self._many.claimed(answer)
        else:
            self._few.claimed(
                answer.claims,
                short=not answer.full,
                now=answer.step.now,
                at=answer.at,
                cost=answer.cost,
                settled=answer.settled,
            )

    def passed(self, *, claimed: bool) -> None:
        """Of the last offer jobs were claimed by name; whether any."""
        if self._many is not None:
            self._many.passed(claimed=claimed)

    def failed(self) -> None:
        """The step that was made of the last offer got no answer."""
        if self._many is not None:
            self._many.failed()

    def _in_order(self, conn: Connection, slots: Sequence[Slot], lag: timedelta) -> Offer:
        """The slots of few queues; looked at beforehand, if the step cannot put them in order by itself."""
        by_age, shares = self._ageing.begin(), self._shares
        if not by_age and not shares.weighted:
            return Offer(slots, lag, ordered=False)
        ranks = [shares.rank(shares.group_of(slot.queue)) for slot in slots]
        if not by_age and len(set(ranks)) == len(self._few_names):
            alone = sorted(zip(ranks, slots, strict=True), key=lambda each: (each[0], -each[1].priority))
            return Offer([slot for _, slot in alone], lag)
        ageing = [self._ageing.of(slot.queue) if shares.group_of(slot.queue) in by_age else None for slot in slots]
        order = execute(conn, queues.order_slots(slots, lag, ranks, ageing))
        return Offer([slots[n - 1] for n in order], lag)

    def _serve(self, names: Sequence[str]) -> None:
        self._few_names = dict.fromkeys(names if len(names) <= FEW else ())
        self._few = Bounds(list(self._few_names))
        self._many = self._new_many() if len(names) > FEW else None

    def _serve_found(self, conn: Connection) -> None:
        """Serve the queues that have jobs, as far as they are selected."""
        most = FEW if self._selection.is_all else MOST_NAMES
        found = execute(conn, queues.first(most + 1))
        names = [name for name in found if self._selection.serves(name)]
        if len(found) > most or len(names) > FEW:
            self._many = self._new_many()
        else:
            self._few_names = dict.fromkeys(names)
            self._few.serve(names)

    def _new_many(self) -> ManyQueues:
        return ManyQueues(self._selection, self._shares, self._ageing, rests=not self._burst)
