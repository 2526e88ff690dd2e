"""The claimer: one round trip settles a batch and claims the next, as long as the executor has room.

A tick asks what there is to settle and how much room there is, decides whether that is worth a round trip yet, and
runs one step. While claims wait for a slot it lets outcomes gather for a moment, so that a step carries many; when
batches come back short it tells the listener that it is hungry, and claims again after 5, 10, 20 ...
milliseconds up to the poll interval, for what was committed before the listener was heard.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from pgqueue.events import Finished, Observer
from pgqueue.outcome import Move
from pgqueue.store import execute, jobs, queues
from pgqueue.store.connection import is_lost
from pgqueue.store.deadline import DEADLINE_SECONDS
from pgqueue.store.jobs import Step
from pgqueue.worker.claiming.bounds import Bounds
from pgqueue.worker.claiming.held_claims import HeldClaims
from pgqueue.worker.claiming.narrowing import Suspicion
from pgqueue.worker.claiming.outbox import Outbox
from pgqueue.worker.claiming.pace import Pace
from pgqueue.worker.claiming.refused_jobs import RefusedJobs
from pgqueue.worker.claiming.refused_outcomes import RefusedOutcomes
from pgqueue.worker.claiming.settler import (
    disbelieve,
    is_lock_timeout,
    set_aside_locked,
    settle_others,
    take_up_unlocked,
    was_refused,
)
from pgqueue.worker.claiming.slots import Gate, Slots
from pgqueue.worker.claiming.unexecuted import Unexecuted
from pgqueue.worker.loop import Connection, Loop
from pgqueue.worker.outage import Stuck

# Outcomes wait this long for company while the executor has enough to do, or until they are so many: from then on
# the database could already be at work.
LINGER = 0.005
COMPANY = 200
# So many outcomes are added between two looks at whether the executor is about to run out of work.
ASK_EVERY = 16
# After a short batch, so soon another step finds out when the next job falls due; mostly one that settles comes first.
ASK_AGAIN = 0.02
# A claim that has waited so long behind a busy executor is given back for others.
HOSTAGE_SECONDS = 1.0
# So many unwritten outcomes stop further claims.
OUTBOX_LIMIT = 5_000
BATCH_LIMIT = 1_000


class Claimer:
    """Owns the worker's claims from the step that took them to the step that settled them."""

    def __init__(
        self,
        worker: int,
        dsn: str,
        names: Sequence[str] | None,
        slots: Slots,
        outbox: Outbox,
        observe: Observer,
        *,
        poll: float,
        burst: bool,
        hungry: Callable[[bool], None],
        deaf: Callable[[], bool],
        evicted: Callable[[str], None],
        renew: Callable[[str], None] = lambda _: None,
        connected: Callable[[Connection], None] = lambda _: None,
        deadline: float = DEADLINE_SECONDS,
    ) -> None:
        self._worker = worker
        self._all_queues = names is None
        self._slots = slots
        self._outbox = outbox
        self._observe = observe
        self._poll = poll
        self._burst = burst
        self._hungry = hungry
        self._evicted = evicted
        self._renew = renew
        self._on_connect = connected
        self._bounds = Bounds(names or [])
        self._held = HeldClaims(worker, outbox, observe)
        self._gate = Gate()
        self._pace = Pace(poll, deaf)
        self._names_at = 0.0
        self._take_up_at = 0.0
        self._forget = False
        self._uncounted = 0
        self._unexecuted = Unexecuted(outbox, slots.terms)
        self._suspicion = Suspicion()
        self._refused_outcomes = RefusedOutcomes(worker, outbox, self._held, observe)
        self._refused_jobs = RefusedJobs(worker, self._held, observe)
        # Whether the last step was answered, and not with an error.
        self._answered = False
        self.drained = False
        # Whether a tick is under way: it may still bring claims, even after quiet().
        self.at_work = False
        self.loop = Loop("claimer", dsn, self._tick, observe, self._connected, deadline=deadline)

    @property
    def clean(self) -> bool:
        """Whether this worker certainly holds nothing."""
        return self._held.clean

    @property
    def is_quiet(self) -> bool:
        """Whether it was told to claim no more."""
        return not self._gate.is_open

    @property
    def bounds(self) -> Mapping[str, str]:
        """Where the next claim begins, for people."""
        return self._bounds.described()

    def resting(self) -> int | None:
        """How many claims there were so far; None while it works, or has a reason to claim nothing."""
        aside = len(self._outbox) - self._outbox.due
        busy = self.at_work or len(self._held) > aside or self._outbox.due or not self._room()
        return None if busy or not self._answered else self._held.total

    @property
    def passed_by(self) -> list[UUID]:
        """The jobs that it cannot claim because the database refuses their rows."""
        return self._refused_jobs.jobs.passed_by()

    def stuck(self) -> Stuck | None:
        """Why it does not get on, if what it asks is refused and it is no matter of single jobs."""
        return self.loop.stuck or self._refused_jobs.stuck()

    def begin_anew(self) -> None:
        """Forget what is believed about queues and bounds, and claim; from any thread."""
        self._forget = True
        self.wake()

    def quiet(self, who: str = "worker") -> None:
        """Claim no more; outcomes are still settled. On return nothing more is submitted to the executor."""
        self._gate.shut(who)
        self.loop.wake()

    def go_on(self, who: str) -> None:
        """Claim again after quiet(), if nobody else wants it quiet."""
        self._gate.open(who)
        self.wake()

    def wake(self, queue: str | None = None) -> None:
        """There may be work, in `queue` if it is named: claim now."""
        if queue not in self._bounds.queues:
            self._names_at = 0.0
        self._pace.woken = True
        self.loop.wake()

    def hear(self, queue: str | None) -> float:
        """There is work, in `queue` if it is named: claim it in this thread, if the loop only waits.

        Answers within how many seconds `loop.turn` is to be called in turn.
        """
        if queue not in self._bounds.queues:
            self._names_at = 0.0
        self._pace.woken = True
        return self.loop.turn()

    def outcomes_waiting(self, first: bool) -> None:
        """The outbox was filled; `first` if it had been empty. Settle, unless the loop waits for company already."""
        if not first:
            # Asked for each, the load would cost more than the rest; a few that nobody asks for wait out LINGER.
            self._uncounted += 1
            if self._uncounted % ASK_EVERY or self._lingers():
                return
        self.loop.wake()

    def _connected(self, conn: Connection) -> None:
        self._on_connect(conn)
        self._pace.woken = True

    def _tick(self, conn: Connection) -> float:
        self.at_work = True
        try:
            return self._turn(conn)
        finally:
            self.at_work = False

    def _turn(self, conn: Connection) -> float:
        self._held.give_back_unknown(conn)
        now = time.monotonic()
        self._pace.measure(now, self._outbox.total - self._unexecuted.count)
        if self._lingers() and 0 < self._outbox.age() < LINGER:
            return LINGER
        if self._slots.load() > self._slots.concurrency:
            self._unexecuted.give_back(self._slots.give_back(HOSTAGE_SECONDS))
        if self._forget:
            self._begin_anew()
        if len(self._outbox) > self._outbox.due and now >= self._take_up_at:
            self._take_up_at = now + HOSTAGE_SECONDS
            take_up_unlocked(conn, self._worker, self._outbox)
            self._refused_outcomes.retry(conn)
        batch = self._outbox.first(BATCH_LIMIT)
        room = self._room()
        if not batch and not (room and self._pace.due(now)):
            return self._pause(now)
        if self._all_queues and self._names_may_be_new(now):
            self._names_at = now + self._poll
            self._bounds.serve(execute(conn, queues.names()))
        try:
            self._step(conn, batch, room)
        except Exception as error:
            if is_lock_timeout(error) and set_aside_locked(conn, self._worker, self._outbox, batch):
                return 0.0
            if not self._suspicion.rises(conn, error):
                raise
            self._narrow(conn, batch, room)
        self._suspicion.falls()
        return 0.0 if self._pace.more or self._outbox.due else self._pause(time.monotonic())

    def _begin_anew(self) -> None:
        self._forget = False
        self._names_at = 0.0
        self._bounds = Bounds(self._bounds.queues)
        self._pace.claim_at = 0.0

    def _names_may_be_new(self, now: float) -> bool:
        """A busy worker asks once a poll for the names of queues, one that looks for work asks each time."""
        return self._burst or now >= self._names_at or (not self._pace.more and now >= self._pace.claim_at)

    def _step(self, conn: Connection, batch: Sequence[Finished], room: int) -> None:
        if room:
            self._pace.woken = False
        batch = disbelieve(conn, self._worker, batch)
        successes = [done.settlement for done in batch if done.settlement.move is Move.SUCCEED]
        late = settle_others(conn, self._worker, [done.settlement for done in batch])
        by_name = bool(room and self._refused_jobs)
        slots, lag = ([], timedelta(0)) if by_name else self._bounds.slots(time.monotonic())
        self._answered = False
        began = time.monotonic()
        try:
            limit = room if slots else 0
            step = execute(conn, jobs.step(self._worker, successes, slots, lag, limit, self._held.unknown.epoch))
        except Exception as error:
            # Whatever woke it is still to be looked at.
            self._pace.woken = True
            if is_lost(conn, error) or not was_refused(error):
                self._held.unknown.suspect()
            raise
        ended = time.monotonic()
        self._answered = True
        self._held.settled(batch, late | step.late)
        if batch:
            self._refused_outcomes.refusals.accept()
        if by_name:
            self._claim_by_name(conn, room)
            return
        claimed = step.claims + step.expired
        if room:
            short = len(claimed) < room
            self._bounds.claimed(
                claimed, short=short, now=step.now, at=ended, cost=ended - began, settled=len(successes)
            )
            self._plan(step, short, ended)
        self._take(step)

    def _take(self, step: Step) -> None:
        if not (fresh := self._held.took(step.claims + step.expired)):
            self._renew("the database gave out a claim that is held here: it was set back to an earlier moment")
        self._unexecuted.end_expired(step.expired if fresh else [])
        if fresh and not self._gate.pass_on(step.claims, self._slots.submit):
            self._unexecuted.give_back(step.claims)
        if not step.alive:
            self._evicted("its lease is gone")

    def _narrow(self, conn: Connection, batch: Sequence[Finished], room: int) -> None:
        """A step was refused: look for who is to blame, and do the rest."""
        self._held.give_back_unknown(conn)
        if not self._refused_outcomes.settle(conn, batch) and room:
            self._claim_by_name(conn, room)

    def _claim_by_name(self, conn: Connection, room: int) -> None:
        slots, lag = self._bounds.slots(time.monotonic())
        for step in self._refused_jobs.claim(conn, slots, lag, room):
            self._take(step)
            self._plan(step, self._refused_jobs.short, time.monotonic())
        self._answered = True

    def _plan(self, step: Step, short: bool, now: float) -> None:
        """When to claim next, and whether to be told of new work."""
        self._hungry(short)
        below = self._bounds.look_below_at
        coming = [at for at in (below, self._names_at if self._all_queues else None) if at is not None]
        if step.next_due is not None:
            coming.append(now + max(0.0, (step.next_due - step.now).total_seconds()))
        elif short and step.claims:
            # A step that claims something does not ask when the next falls due.
            coming.append(now + ASK_AGAIN)
        self._pace.claimed(now, short=short, coming=coming)
        held = len(self._held) - self._outbox.refused
        self.drained = short and below is None and not step.claims and not step.expired and not held

    def _room(self) -> int:
        if self.is_quiet or len(self._outbox) >= OUTBOX_LIMIT:
            return 0
        return max(0, self._slots.concurrency + self._pace.ahead - self._slots.load())

    def _lingers(self) -> bool:
        """Whether a step can wait a little: it would carry few outcomes, and the executor has enough to do."""
        enough = self._slots.concurrency + (self._pace.ahead // 2 if self._pace.more else 0)
        return self._outbox.due < COMPANY and self._slots.load() > enough

    def _pause(self, now: float) -> float:
        if self.is_quiet:
            wait = self._poll
        elif not self._room():
            wait = HOSTAGE_SECONDS
        else:
            wait = self._pace.wait(now)
        # What waits behind a long job, or for a lock, is not to wait for the next claim.
        waiting = self._slots.load() > self._slots.concurrency or len(self._outbox)
        return min(wait, HOSTAGE_SECONDS) if waiting else wait
