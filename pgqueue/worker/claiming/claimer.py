"""The claimer: one round trip settles a batch and claims the next, as long as the executor has room.

A tick asks what there is to settle and how much room there is, decides whether that is worth a round trip yet, and
runs one step. While claims wait for a slot it lets outcomes gather for a moment, so that a step carries many; when
batches come back short it tells the listener that it is hungry, and claims again after 5, 10, 20 ...
milliseconds up to the poll interval, for what was committed before the listener was heard.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from math import inf
from uuid import UUID

from pgqueue.events import Observer
from pgqueue.job import Claim, Token
from pgqueue.store.deadline import DEADLINE_SECONDS
from pgqueue.worker.claiming.ageing import Ageing
from pgqueue.worker.claiming.budget import Budget
from pgqueue.worker.claiming.gathering import Gathering
from pgqueue.worker.claiming.held_claims import HeldClaims
from pgqueue.worker.claiming.keyed import Keyed
from pgqueue.worker.claiming.mover import Mover
from pgqueue.worker.claiming.narrowing import Suspicion
from pgqueue.worker.claiming.outbox import Outbox
from pgqueue.worker.claiming.pace import Pace
from pgqueue.worker.claiming.room import Room
from pgqueue.worker.claiming.served import Served
from pgqueue.worker.claiming.settler import is_lock_timeout, set_aside_locked, take_up_unlocked
from pgqueue.worker.claiming.slots import Gate, Slots
from pgqueue.worker.claiming.trust import Trust
from pgqueue.worker.claiming.unexecuted import Unexecuted
from pgqueue.worker.loop import Connection, Loop
from pgqueue.worker.outage import Stuck
from pgqueue.worker.selection import Selection

# So many outcomes are added between two looks at whether the executor is about to run out of work.
ASK_EVERY = 16
# A claim that has waited so long behind a busy executor is given back for others.
HOSTAGE_SECONDS = 1.0
# So many notifications a second may wake an idle worker in vain, once those that were saved up are used up.
VAIN, VAIN_SAVED = 50.0, 50


class Claimer:
    """Owns the worker's claims from the step that took them to the step that settled them."""

    def __init__(
        self,
        worker: int,
        dsn: str,
        selection: Selection,
        slots: Slots,
        outbox: Outbox,
        observe: Observer,
        *,
        poll: float,
        burst: bool,
        ageing: Ageing,
        told: Callable[[Connection, list[Claim]], list[Claim]] = lambda _, claims: claims,
        barred: Callable[[Sequence[Claim]], Mapping[Token, str]] = lambda _: {},
        trust: Trust | None = None,
        hungry: Callable[[bool], None],
        deaf: Callable[[], bool],
        evicted: Callable[[str], None],
        renew: Callable[[str], None] = lambda _: None,
        connected: Callable[[Connection], None] = lambda _: None,
        deadline: float = DEADLINE_SECONDS,
        timed: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._worker = worker
        self._gathering = gathering = Gathering(slots.batching, slots.terms)
        load = slots.load
        # A batch that gathers has its slot.
        self._slots = slots = replace(slots, load=lambda: load() + len(gathering))
        self._outbox = outbox
        self._observe = observe
        self._poll = poll
        self._on_connect = connected
        self._served = Served(selection, ageing, poll=poll, burst=burst)
        self._keyed = Keyed(selection)
        self._held = HeldClaims(worker, outbox, observe)
        self._gate = Gate()
        self._pace = Pace(poll, deaf)
        self._room = Room(slots, outbox, self._held, self._pace)
        self._vain = Budget(VAIN, VAIN_SAVED)
        self._take_up_at = self._hostages_at = 0.0
        self._uncounted = 0
        self._unexecuted = Unexecuted(outbox, slots.terms)
        self._suspicion = Suspicion()
        self._mover = Mover(
            worker,
            slots,
            outbox,
            observe,
            served=self._served,
            held=self._held,
            pace=self._pace,
            room=self._room,
            gate=self._gate,
            unexecuted=self._unexecuted,
            gathering=gathering,
            hungry=hungry,
            fruitful=self._vain.refill,
            told=told,
            barred=barred,
            evicted=evicted,
            renew=renew,
            keyed=self._keyed,
            trust=trust,
            burst=burst,
            deadline=deadline,
            timed=timed,
        )
        self.is_echo = self._mover.is_echo
        # Whether the last step was answered, and not with an error.
        self._answered = False
        # Whether a tick is under way: it may still bring claims, even after quiet().
        self.at_work = False
        self.loop = Loop("claimer", dsn, self._tick, observe, self._connected, deadline=deadline)
        if slots.allotment is not None:
            slots.allotment.wake = self.loop.wake

    @property
    def clean(self) -> bool:
        """Whether this worker certainly holds nothing."""
        return self._held.clean

    @property
    def drained(self) -> bool:
        """Whether nothing is left to claim, nothing is held, and observers were told of all that was settled."""
        # In this order: the tick that found it drained tells before it ends.
        return self._mover.drained and not self.at_work

    @property
    def is_quiet(self) -> bool:
        """Whether it was told to claim no more."""
        return not self._gate.is_open

    @property
    def bounds(self) -> Mapping[str, str]:
        """Where the next claim begins, for people."""
        return self._served.described

    def resting(self) -> int | None:
        """How many claims there were so far; None while it works, or has a reason to claim nothing."""
        aside = len(self._outbox) - self._outbox.due
        # Not asked anew for slots that others share: only the claim loop comes for them.
        room = self._free() if self._slots.allotment is None else self._room.free
        busy = self.at_work or len(self._held) > aside or self._outbox.due or not room or not self._answered
        return None if busy else self._held.total

    @property
    def passed_by(self) -> list[UUID]:
        """The jobs that it cannot claim because the database refuses their rows."""
        return self._mover.refused_jobs.jobs.passed_by()

    def stuck(self) -> Stuck | None:
        """Why it does not get on, if what it asks is refused and it is no matter of single jobs."""
        return self.loop.stuck or self._mover.refused_jobs.stuck()

    def begin_anew(self) -> None:
        """Forget what is believed about queues and bounds, and claim; from any thread."""
        self._served.begin_anew()
        self.wake()

    def quiet(self, who: str = "worker") -> None:
        """Claim no more; outcomes are still settled. On return nothing more is submitted to the executor."""
        self._gate.shut(who)
        self._unexecuted.give_back(self._gathering.dissolve())
        self.loop.wake()

    def go_on(self, who: str) -> None:
        """Claim again after quiet(), if nobody else wants it quiet."""
        self._gate.open(who)
        self.wake()

    def cancel(self, ids: Collection[UUID]) -> None:
        """Start none of these, as far as they wait here for others; from any thread."""
        self._unexecuted.cancel(self._gathering.cancel(ids))

    def wake(self) -> None:
        """There may be work: look now."""
        self._served.look_around()
        self._pace.woken = True
        self.loop.wake()

    def hear(self, names: Collection[str] | None) -> float | None:
        """There is work in these queues, or somewhere: claim it in this thread, if the loop only waits.

        Answers within how many seconds `loop.turn` is to be called in turn; None if nothing concerns this worker.
        """
        if names is None:
            self._served.look_around()
        else:
            now = time.monotonic()
            found = [wait for wait in (self._served.hear(name, now) for name in names) if wait is not None]
            self._keyed.hear(names)
            if not found:
                return None
            if wait := min(found) or self._vain.take(now):
                self._pace.remind(now + wait)
                return wait
        self._pace.woken = True
        return self.loop.turn()

    def stop(self, timeout: float) -> bool:
        """End the loop after its current turn; whether it has ended within `timeout` seconds, with all told."""
        ended = self.loop.stop(timeout)
        if ended:
            self._held.tell()
        return ended

    def outcomes_waiting(self, first: bool) -> None:
        """The outbox was filled; `first` if it had been empty. Settle, unless the loop waits for company already."""
        if not first:
            # Asked for each, the load would cost more than the rest; a few that nobody asks for wait out LINGER.
            self._uncounted += 1
            if self._uncounted % ASK_EVERY or self._room.lingers():
                return
        self.loop.wake()

    def _connected(self, conn: Connection) -> None:
        self._on_connect(conn)
        self._pace.woken = True

    def _tick(self, conn: Connection) -> float:
        self.at_work = True
        wait = inf
        try:
            wait = self._turn(conn)
            if (allotment := self._slots.allotment) is not None:
                allotment.want(self._wants())
            if len(self._gathering):
                self._mover.gather(conn)
            soon = self._gathering.next_in(time.monotonic())
            wait = wait if soon is None else min(wait, soon)
            return wait
        finally:
            if wait:
                # No step follows at once that could be told beside.
                self._held.tell()
            self.at_work = False

    def _turn(self, conn: Connection) -> float:
        self._held.give_back_unknown(conn)
        now = time.monotonic()
        ended = self._slots.ended
        self._pace.measure(now, self._outbox.total - self._unexecuted.count if ended is None else ended())
        if linger := self._room.linger():
            return linger
        if now >= self._hostages_at and self._room.overfull:
            self._hostages_at = now + HOSTAGE_SECONDS / 4
            self._unexecuted.give_back(self._slots.give_back(HOSTAGE_SECONDS))
        if len(self._outbox) > self._outbox.due and now >= self._take_up_at:
            self._take_up_at = now + HOSTAGE_SECONDS
            self._mover.expect_no_echo()
            take_up_unlocked(conn, self._worker, self._outbox)
            self._mover.refused_outcomes.retry(conn)
        batch = self._mover.batch()
        room = self._free()
        due = bool(room) and (self._pace.due(now) or self._served.due(now) or self._keyed.due(now))
        if not batch and not due:
            return self._pause(now)
        self._answered = False
        try:
            self._mover.move(conn, batch, room, due=due, now=now)
        except Exception as error:
            self._mover.failed(time.monotonic() - now)
            if is_lock_timeout(error) and set_aside_locked(conn, self._worker, self._outbox, batch):
                return 0.0
            if not self._suspicion.rises(conn, error):
                raise
            self._mover.narrow(conn, batch, room)
        self._answered = True
        self._suspicion.falls()
        return 0.0 if self._pace.more or self._outbox.due else self._pause(time.monotonic())

    def _wants(self) -> bool:
        """Whether it would claim now, if it had a slot."""
        return not self.is_quiet and not self._room.is_blocked and self._pace.due(time.monotonic())

    def _free(self) -> int:
        return 0 if self.is_quiet else self._room.jobs

    def _pause(self, now: float) -> float:
        if self.is_quiet:
            wait = self._poll
        elif not self._room.jobs:
            wait = HOSTAGE_SECONDS
        else:
            wait = self._pace.wait(now)
        # What waits behind a long job, or for a lock, is not to wait for the next claim.
        return min(wait, HOSTAGE_SECONDS) if self._room.overfull or len(self._outbox) else wait
