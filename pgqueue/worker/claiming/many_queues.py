"""Many queues: which of their slots a step claims from, so that it costs the same whatever their number.

A step is told about as many slots as it may claim jobs: those whose heads rank first (heads.py), and all slots of
queues that were named by a notification (told.py). What it found empty is forgotten. Rounds (rounds.py) see every slot
that has jobs, again and again, so that none starves, whatever was forgotten, and whoever committed late.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from itertools import islice

from pgqueue.store import queues
from pgqueue.worker.claiming.ageing import Ageing
from pgqueue.worker.claiming.bounds import BEGINNING, FIRST_ID, LAG, PRIORITIES
from pgqueue.worker.claiming.heads import Head, Ranked, ranked
from pgqueue.worker.claiming.offer import Answer, Offer
from pgqueue.worker.claiming.ration import Ration
from pgqueue.worker.claiming.rounds import Rounds
from pgqueue.worker.claiming.shared_heads import SharedHeads
from pgqueue.worker.claiming.shares import Shares
from pgqueue.worker.claiming.told import Told
from pgqueue.worker.loop import Connection
from pgqueue.worker.selection import Selection

# A step is told of no fewer slots, if so many are due: some may turn out to be empty.
LEAST_SLOTS = 32
# After a claim from a queue that was told of, so soon another step finds out when its next job falls due.
ASK_AGAIN = 0.02
# The names of so many queues are remembered that were found empty.
MOST_EMPTY = 20_000
# A look around is put off for queues that were told of no longer than this, in seconds.
PATIENCE = 0.5
# A slot that was looked at costs about this share of one job.
SLOTS_PER_ROW = 4
# Heads that are known of slots that no round sees any more are forgotten, all together, once they are so many.
MOST_UNSEEN = 10_000


class ManyQueues:
    """The queues of a selection. Told of what is heard and of each step's answer; offers slots to the next."""

    def __init__(self, selection: Selection, shares: Shares, ageing: Ageing, *, rests: bool) -> None:
        self._selection = selection
        self._ageing = ageing
        self._rounds = Rounds(selection.names, rests=rests)
        self._heads = SharedHeads(shares, ageing)
        self._told = Told()
        self._ration = Ration()
        # Since when, by the database's clock, all slots of a queue are empty; BEGINNING if not all were looked at.
        self._empty: dict[str, datetime] = {}
        # What the step under way was offered.
        self._offered: list[Ranked] = []
        self._asked: tuple[list[str], list[str]] = [], []
        self._unbounded = False
        # Since when a look around is put off.
        self._put_off_at: float | None = None

    @property
    def queues_seen(self) -> int | None:
        """How many queues the last round saw; None while one is under way, or wanted."""
        return None if self._rounds.under_way or self._rounds.wanted else self._rounds.queues

    @property
    def described(self) -> dict[str, str]:
        """For people: how much is known."""
        return {"slots with jobs": str(len(self._heads)), "round": "under way" if self._rounds.under_way else "done"}

    def knows(self, queue: str) -> bool:
        """Whether this queue has had jobs lately."""
        return queue in self._empty or any((queue, priority) in self._heads for priority in PRIORITIES)

    def hear(self, queue: str) -> None:
        """There may be work in this queue; from any thread."""
        self._told.add(queue)

    def look_around(self) -> None:
        """There may be work anywhere; from any thread."""
        self._rounds.wanted = True

    def due(self, now: float) -> bool:
        """Whether there is something to claim from now, as far as is known."""
        return self._told.due(now) or self._heads.any_due(now)

    def searching(self, now: float) -> bool:
        """Whether a round is under way, and nothing is known to claim from."""
        return self._rounds.under_way and not self.due(now)

    def swept(self, now: float) -> bool:
        """Whether a whole round has found nothing that could be claimed, and nothing was heard since."""
        return not (self._rounds.under_way or self._rounds.wanted or self.due(now))

    @property
    def coming(self) -> list[float]:
        """When there will be something to look at, as far as is known."""
        round_at = self._rounds.next_at if self._rounds.wanted or self._rounds.under_way else None
        return [at for at in (self._heads.next_at, self._told.next_at, round_at) if at is not None]

    def offer(self, conn: Connection, now: float, room: int, *, going: bool, looking: bool) -> Offer:
        """The slots for a step that may claim `room` jobs; `going` is whether it goes anyway.

        If `looking`, it looks at a window of slots before, unless a queue was told of: that is not to wait.
        """
        self._asked = told, again = self._told.take(now, going=going)
        self._offered = []
        if looking and self._rounds.due(now, lacking=self._heads.count_due(now) < room):
            if not told or now - (self._put_off_at or now) > PATIENCE:
                self._put_off_at = None
                self._learn(self._rounds.look(conn), now)
            else:
                self._put_off_at = self._put_off_at or now
        self._unbounded = bool(told or again) and self._ration.allows(now)
        self._offered = [self._named(queue, priority, now) for queue in (*told, *again) for priority in PRIORITIES]
        by_age = self._ageing.begin()
        known = self._heads.pop(max(room, LEAST_SLOTS), now, by_age=by_age)
        self._offered = self._heads.in_order([*self._offered, *known], by_age=by_age)
        return Offer([each.slot for each in self._offered])

    def claimed(self, answer: Answer) -> None:
        """What the step answered that was made of the last offer."""
        last = {(claim.queue, claim.priority): claim for claim in answer.claims}
        by_name = len(self._queues_asked) * len(PRIORITIES)
        if last and (answer.full or self._asked[1] or by_name < len(self._offered)):
            # Slots were emptied and forgotten, and nobody knows what comes there next.
            self._rounds.wanted = True
        reached = max((n for n, each in enumerate(self._offered) if each.key in last), default=-1)
        if answer.full and reached >= 0:
            claim = last[self._offered[reached].key]
            due_at = answer.at + (claim.run_at - answer.step.now).total_seconds()
            self._heads.put(self._offered[reached].key, Head(due_at, claim.run_at, claim.id))
            self._put_back(self._offered[reached + 1 :])
            self._note_empty({each.queue for each in self._offered[:reached]}, BEGINNING)
        else:
            self._note_empty({each.queue for each in self._offered}, BEGINNING)
            self._note_empty(self._queues_asked, answer.step.now)
            self._look_again(answer)
        rows = answer.settled + len(answer.claims) + len(self._offered) // SLOTS_PER_ROW
        self._ration.spent(answer.cost, rows, unbounded=self._unbounded, at=answer.at)
        self._offered, self._asked = [], ([], [])

    def passed(self, *, claimed: bool) -> None:
        """Of the last offer jobs were claimed by name, whatever its slots hold now; `claimed` is whether any."""
        self._offered, self._asked = [], ([], [])
        self._rounds.wanted = self._rounds.wanted or claimed

    def failed(self) -> None:
        """The step that was made of the last offer got no answer."""
        self._put_back(self._offered)
        for queue in self._queues_asked:
            self._told.add(queue)
        self._offered, self._asked = [], ([], [])

    @property
    def _queues_asked(self) -> list[str]:
        return [*self._asked[0], *self._asked[1]]

    def _learn(self, found: Iterable[queues.Head], now: float) -> None:
        for head in found:
            if head.run_at is not None and head.seconds is not None and self._selection.serves(head.queue):
                # Behind all ids of this time: the head itself is claimed. At the end of a pause, what waits there.
                after = BEGINNING if head.id is None else head.run_at
                self._heads.put((head.queue, head.priority), Head(now + head.seconds, after, FIRST_ID))
        if not self._rounds.under_way and len(self._heads) > self._rounds.slots + MOST_UNSEEN:
            self._heads.clear()
            self._rounds.wanted = True

    def _named(self, queue: str, priority: int, now: float) -> Ranked:
        known = self._heads.pop_due((queue, priority), now)
        if self._unbounded or known is None:
            empty = BEGINNING if self._unbounded else self._empty.get(queue, BEGINNING)
            after = empty if empty == BEGINNING else empty - LAG
            return ranked((queue, priority), Head(now if known is None else known.due_at, after, FIRST_ID))
        return ranked((queue, priority), known)

    def _put_back(self, slots: Iterable[Ranked]) -> None:
        for each in slots:
            self._heads.put(each.key, each.head)

    def _look_again(self, answer: Answer) -> None:
        """Find out when the next jobs of the queues that were told of are due; those that are told of are few."""
        at = answer.at
        if answer.step.next_due is not None:
            due_at = at + (answer.step.next_due - answer.step.now).total_seconds()
            asked = [(queue, due_at, due_at) for queue in self._queues_asked]
        elif answer.claims:
            # A step that claims something does not say when the next falls due.
            asked = [(queue, at + ASK_AGAIN, at) for queue in self._asked[0]]
        else:
            asked = []
        for queue, when, earliest in asked:
            if not self._told.again(queue, when, earliest=earliest):
                self._rounds.wanted = True

    def _note_empty(self, names: Collection[str], since: datetime) -> None:
        for name in names:
            self._empty[name] = max(since, self._empty.pop(name, BEGINNING))
        for name in list(islice(self._empty, max(0, len(self._empty) - MOST_EMPTY))):
            del self._empty[name]
