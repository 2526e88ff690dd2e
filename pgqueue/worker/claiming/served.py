"""Served queues: which slots the next step claims from, whether the worker serves few queues or very many.

Of few queues all slots are claimed from in every step, in the exact order of their heads. Of many a step is offered
those that are known to have something (many_queues.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from pgqueue.store import execute, queues
from pgqueue.worker.claiming.bounds import Bounds
from pgqueue.worker.claiming.budget import Budget
from pgqueue.worker.claiming.many_queues import ManyQueues
from pgqueue.worker.claiming.offer import Answer, Offer
from pgqueue.worker.loop import Connection

# So many queues are looked at in every step.
FEW = 10
# A notification names a queue by no more of its name (wake.sql).
PAYLOAD = 500
# So many unknown names a second are looked at, once those that were saved up are used up. Anybody may notify.
STRANGERS, STRANGERS_SAVED = 2.0, 20
# What was named beyond that is found by the next look at all queues, so soon at the earliest, in seconds.
STRANGERS_PAUSE = 1.0


class Served:
    """The queues of `names`, or all: told of what is heard and of each step's answer; offers slots to the next.

    Times are monotonic seconds. `burst` is whether the worker ends when nothing is left: then it rests before no look.
    """

    def __init__(self, names: Sequence[str] | None, *, poll: float, burst: bool) -> None:
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
        self._serve(list(dict.fromkeys(names or [])))

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
            self._serve_few(execute(conn, queues.first(FEW + 1)))
            if self._heard != heard:
                self._names_at = 0.0
        if self._many is None:
            slots, lag = self._few.slots(now)
            return Offer(slots, lag, ordered=False)
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

    def _serve(self, names: Sequence[str]) -> None:
        self._few_names = dict.fromkeys(names if len(names) <= FEW else ())
        self._few = Bounds(list(self._few_names))
        self._many = ManyQueues(names, rests=not self._burst) if len(names) > FEW else None

    def _serve_few(self, names: Sequence[str]) -> None:
        if len(names) > FEW:
            self._many = ManyQueues(None, rests=not self._burst)
        else:
            self._few_names = dict.fromkeys(names)
            self._few.serve(names)
