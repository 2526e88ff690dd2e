"""Keyed jobs: when to claim those that have limit keys, or whose task or queue has a limit, and from which slots.

A step leaves them out, so that those who use no limits pay nothing for them; they are claimed in a round trip of their
own, which goes only for a reason: the last one left something behind, a share has come back, somebody called and the
step found nothing, or nobody has looked for LOOK_EVERY. Neither kind holds up the other: where both have work, they
take turns at going first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pgqueue.events import Finished
from pgqueue.job import Token
from pgqueue.store import Statement, keyed
from pgqueue.store.keyed import KeyedSlot, KeyedStep, Look
from pgqueue.worker.selection import Selection

# While there is room, slots are looked for so often, in seconds, if any are known, and if none are; and the cost of a
# look is a small share of the time.
LOOK_EVERY, SEARCH_EVERY, LOOK_RATION = 0.05, 0.25, 20
# So many queues are looked at in one round trip; a worker that serves more takes turns.
WINDOW = 100
# So many lanes are looked at in one round trip, for each job that is wanted, and at least; while nothing is found more
# and more of them, up to this. Such looks at nothing but full lanes are rationed by their cost.
VISITS, LEAST_VISITS, MOST_VISITS = 4, 200, 3200
VAIN_RATION = 4
# After a refusal claims are made carefully for so long, in seconds.
CAREFUL = 60.0
# Where lanes were in other hands, it goes again so soon, in seconds.
FIRST_BUSY, LAST_BUSY = 0.001, 0.02


@dataclass(frozen=True, slots=True)
class KeyedAnswer:
    """What a claim of keyed jobs answered at monotonic time `at`, and how long it took."""

    found: KeyedStep
    at: float
    cost: float


class Keyed:
    """The keyed jobs of a selection of queues; told of wake-ups and answers. Times are monotonic seconds."""

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        names = selection.names
        # Looked at one window after the other, very many names would cost more than asking which queues have something.
        self._names = None if names is None or len(names) > WINDOW else names
        # Where names are asked for: behind which the next are.
        self._globbed: str | None = None
        self._known: list[KeyedSlot] = []
        self._open: set[Token] = set()
        # Queues that somebody named; filled by the listener's thread.
        self._told: dict[str, None] = {}
        self._look: Look | None = None
        self._look_at = 0.0
        self._after = ""
        self._many = False
        self._vain = 0
        self._again_at: float | None = None
        self._more = False
        self._busy = FIRST_BUSY
        self._fruitful = False
        self._second = False
        # Whether the round of looks that is under way has found nothing so far.
        self._vain_round = False
        self._careful_until = 0.0
        self._news: str | None = None
        # Whether the last whole round of looks found nothing that waits, and none has found anything since.
        self.swept = False

    @property
    def many(self) -> bool:
        """Whether queues are looked at one window after the other, those that somebody names first."""
        return self._many

    def hear(self, names: Iterable[str]) -> None:
        """There may be work in these queues; from any thread."""
        if self._many:
            for name in names:
                if len(self._told) < WINDOW and self._selection.serves(name):
                    self._told[name] = None

    def settled(self, batch: Iterable[Finished]) -> None:
        """Outcomes were written: the shares of keyed ones have come back."""
        if self._open:
            for done in batch:
                if done.claim.token in self._open:
                    self._open.discard(done.claim.token)
                    self._more = True

    def goes_first(self) -> bool:
        """Whether it is the turn of keyed jobs to take what room there is; asked once for each turn."""
        self._second = not self._second
        return self._fruitful and not self._second

    def due(self, now: float) -> bool:
        """Whether there is something to claim, as far as is known."""
        return self._more or (self._again_at is not None and self._again_at <= now)

    def wanted(self, now: float, *, searching: bool) -> bool:
        """Whether to claim in this turn; `searching` is whether a step has just found nothing, and there is room."""
        return self.due(now) or searching or now >= self._look_at

    @property
    def coming(self) -> list[float]:
        """When there will be something, as far as is known."""
        return [] if self._again_at is None else [self._again_at]

    def offer(self, now: float, *, searching: bool) -> tuple[list[KeyedSlot], Look | None]:
        """The slots to claim from, and where to look for more."""
        again = self._again_at is not None and self._again_at <= now
        self._look = self._next_look() if searching or again or now >= self._look_at or not self._known else None
        return self._known[:WINDOW], self._look

    @property
    def asks(self) -> Statement[list[str]] | None:
        """What to ask before the look that was offered, if globs or many names say what is meant; then tell means()."""
        if self._look is None or self._look.queues is not None or self._selection.is_all:
            return None
        return keyed.queues(self._look.after, WINDOW)

    def means(self, names: Sequence[str]) -> Look:
        """Which of these queues to look at."""
        self._globbed = names[-1] if len(names) >= WINDOW else ""
        return Look([name for name in names if self._selection.serves(name)])

    def answered(self, answer: KeyedAnswer, limit: int) -> None:
        """What came of the offer."""
        found, step = answer.found, answer.found.step
        claimed = [*step.claims, *step.expired]
        self._open.update(claim.token for claim in claimed)
        self._fruitful = bool(claimed)
        # Whoever was looked at goes to the end of those of its priority.
        rest = self._known[WINDOW:]
        looked_at = found.slots if rest or not claimed else [*found.slots[1:], *found.slots[:1]]
        # A look may find again what is known beyond the window; it begins at its first lane then, and keeps its turn.
        known = {(slot.queue, slot.priority): slot for slot in [*looked_at, *rest]}
        self._known = sorted(
            (known[each] for each in dict.fromkeys((slot.queue, slot.priority) for slot in [*rest, *looked_at])),
            key=lambda slot: -slot.priority,
        )
        self._vain = 0 if claimed or not found.more else self._vain + 1
        self._more = found.unadopted or len(claimed) >= limit > 0 or bool(claimed and found.more)
        self._again_at = answer.at + VAIN_RATION * answer.cost if self._vain else None
        nothing = not (claimed or self._more or found.more or found.busy or found.waiting)
        self.swept = self.swept and nothing
        if found.look_after is not None:
            self._looked(found.look_after, answer, nothing=nothing)
        if step.next_due is not None:
            self._remind(answer.at + max(0.0, (step.next_due - step.now).total_seconds()))
        if found.busy and not self._more:
            self._remind(answer.at + self._busy)
            self._busy = min(2 * self._busy, LAST_BUSY)
        else:
            self._busy = FIRST_BUSY

    def failed(self) -> None:
        """The offer got no answer: what it was to look at is looked at in the next round."""
        self.swept = False

    def refused(self, now: float) -> None:
        """The database refused the claim, for something other than what passes."""
        self._careful_until = now + CAREFUL
        self._news = "a claim of jobs with limits was refused"
        self._remind(now)

    def news(self) -> str | None:
        """What is to be told, once."""
        news, self._news = self._news, None
        return news

    def careful(self, now: float) -> bool:
        """Whether each job is to be tried by itself, so that one whose row is refused holds up no other."""
        return now < self._careful_until

    def visits(self, limit: int) -> int:
        """How many lanes to look at for so many jobs."""
        return min(MOST_VISITS, max(LEAST_VISITS, VISITS * limit) << min(self._vain, 4))

    def _next_look(self) -> Look:
        if self._names is None:
            if self._told:
                told = list(self._told)[:WINDOW]
                for name in told:
                    self._told.pop(name, None)
                return Look(told, self._after)
            return Look(None, self._after)
        return Look(self._names)

    def _looked(self, after: str, answer: KeyedAnswer, *, nothing: bool) -> None:
        assert self._look is not None
        self._look_at = answer.at + max(LOOK_EVERY if self._known else SEARCH_EVERY, LOOK_RATION * answer.cost)
        if self._names is None and self._look.queues is not None:
            # Somebody named these queues, and the round goes on where it was.
            return
        begun = self._look.after
        after = "" if self._names is not None else after if self._globbed is None else self._globbed
        self._after = after
        self._many = bool(after) or (self._many and bool(begun))
        self._vain_round = nothing and (self._vain_round or not begun)
        if not after:
            self.swept = self._vain_round
        elif nothing:
            self._remind(answer.at + VAIN_RATION * answer.cost)
        else:
            self._more = True

    def _remind(self, at: float) -> None:
        self._again_at = at if self._again_at is None else min(at, self._again_at)
