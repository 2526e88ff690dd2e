"""The mover: settles a batch and claims from what is offered, hands claims over, and plans the next.

Where the database refuses a step, it looks for the outcome or the job that is to blame, and does all the rest.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from math import inf
from uuid import UUID

from pgqueue.events import Finished, Observer, Trouble
from pgqueue.job import Claim, Token, each_of
from pgqueue.outcome import Move
from pgqueue.store import execute, together, workflows
from pgqueue.store.jobs import Step
from pgqueue.store.outages import in_words
from pgqueue.store.session import OwnConnection
from pgqueue.worker.claiming.gathering import Gathering
from pgqueue.worker.claiming.held_claims import HeldClaims
from pgqueue.worker.claiming.keyed import Keyed
from pgqueue.worker.claiming.offer import NOTHING, Answer, Offer
from pgqueue.worker.claiming.outbox import Outbox
from pgqueue.worker.claiming.pace import Pace
from pgqueue.worker.claiming.refused_jobs import RefusedJobs
from pgqueue.worker.claiming.refused_outcomes import RefusedOutcomes
from pgqueue.worker.claiming.room import Room
from pgqueue.worker.claiming.served import Served
from pgqueue.worker.claiming.settler import was_refused
from pgqueue.worker.claiming.slots import Gate, Slots
from pgqueue.worker.claiming.stepper import Stepper
from pgqueue.worker.claiming.trust import Trust
from pgqueue.worker.claiming.unexecuted import Unexecuted
from pgqueue.worker.loop import Connection

# After a short batch, so soon another step finds out when the next job falls due; mostly one that settles comes first.
ASK_AGAIN = 0.02
# So many jobs are claimed by name in one step.
BY_NAME = 100


class Mover:
    """Used by the claim loop, which decides when. `fruitful` is called when there was something to claim.

    `told` adds to claims what their queues say; `barred` is why some must not run, by their tokens; with `trust` only
    those run that are signed. A `burst` is drained only when no workflow is about to go on.
    """

    def __init__(
        self,
        worker: int,
        slots: Slots,
        outbox: Outbox,
        observe: Observer,
        *,
        served: Served,
        held: HeldClaims,
        pace: Pace,
        room: Room,
        gate: Gate,
        unexecuted: Unexecuted,
        gathering: Gathering,
        hungry: Callable[[bool], None],
        fruitful: Callable[[], None],
        told: Callable[[Connection, list[Claim]], list[Claim]],
        barred: Callable[[Sequence[Claim]], Mapping[Token, str]],
        evicted: Callable[[str], None],
        renew: Callable[[str], None],
        keyed: Keyed,
        trust: Trust | None,
        burst: bool,
        deadline: float,
        timed: Callable[[float], None],
    ) -> None:
        self._slots = slots
        self._burst = burst
        self._outbox = outbox
        self._served = served
        self._held = held
        self._pace = pace
        self._last_tries = room.last_tries
        self._gate = gate
        self._unexecuted = unexecuted
        self._gathering = gathering
        self._hungry = hungry
        self._fruitful = fruitful
        self._told = told
        self._barred = barred
        self._evicted = evicted
        self._renew = renew
        self.keyed = keyed
        self._trust = trust
        self._observe = observe
        self._stepper = Stepper(worker, outbox, held, room, deadline, timed)
        self.refused_outcomes = RefusedOutcomes(worker, outbox, held, observe)
        self.refused_jobs = RefusedJobs(worker, held, observe)
        self.drained = False
        # The process of the server that sends no news to this worker, as it only told of shares that came back; or 0.
        self._echo = 0

    def batch(self) -> list[Finished]:
        """The outcomes that the next step may carry."""
        return self._stepper.batch()

    def move(self, conn: Connection, batch: Sequence[Finished], room: int, *, due: bool, now: float) -> None:
        """Settle the batch, and claim what there is room for: keyed jobs first or last, by turns."""
        by_name = bool(room and self.refused_jobs)
        first = bool(room) and self.keyed.goes_first()
        woken = self._pace.woken
        offer = NOTHING
        if room and not by_name and not first:
            offer = self._offer(conn, room, now, going=bool(batch), due=due)
        answer = None
        if batch or offer.slots:
            self._expect_echo(conn, batch, offering=bool(offer.slots))
            answer = self._stepper.step(conn, batch, offer, room)
            if batch:
                self.refused_outcomes.refusals.accept()
                self.keyed.settled(batch)
            if offer.slots:
                self._served.claimed(answer)
            self._take(conn, answer.step)
        if by_name:
            self._claim_by_name(conn, room)
        keyed = None
        left = room if answer is None else room - len(answer.claims)
        searching = woken and not first and not (answer is not None and answer.claims)
        if left > 0 and self.keyed.wanted(time.monotonic(), searching=searching or first):
            try:
                keyed = self._stepper.claim_keyed(conn, self.keyed, left, searching=searching)
            except Exception as error:
                if (refused := self.keyed.news()) is not None:
                    self._observe(Trouble("claimer", f"{refused}: {in_words(error)}", "each is tried by itself now"))
                raise
            if keyed is not None:
                self._take(conn, keyed.found.step, has_limits=True)
        if room and not by_name:
            self._plan(conn, answer, time.monotonic(), unasked=first)

    def gather(self, conn: Connection) -> None:
        """Ask for more jobs for the batches that gather, and have those begin whose time has come."""
        for basket in self._gathering.asking(time.monotonic()):
            try:
                if basket.has_limits:
                    keyed = self._stepper.claim_keyed(conn, self.keyed, 0, searching=False, beyond=basket.lacks)
                    step = None if keyed is None else keyed.found.step
                else:
                    step = self._stepper.claim_companions(conn, basket, self._gathering.most_attempts(basket.lead))
            except Exception as error:
                if not was_refused(error):
                    raise
                basket.ask_at = inf
                self._observe(Trouble("claimer", f"no more jobs for a batch: {in_words(error)}", "it runs without"))
                continue
            if step is not None:
                self._take(conn, step, has_limits=basket.has_limits)
        due = self._gathering.due(time.monotonic())
        if due and not self._gate.pass_on(due, self._slots.submit):
            self._unexecuted.give_back([each for claim in due for each in each_of(claim)])

    def _expect_echo(self, conn: Connection, batch: Sequence[Finished], *, offering: bool) -> None:
        others = any(done.settlement.move is not Move.SUCCEED for done in batch)
        if others and not offering:
            # They may be due again.
            self._pace.woken = True
        knows = isinstance(conn, OwnConnection) and not conn.pooled and not self.keyed.many
        self._echo = conn.info.backend_pid if knows and not others else 0

    def narrow(self, conn: Connection, batch: Sequence[Finished], room: int) -> None:
        """A step was refused: look for who is to blame, and do the rest."""
        self._held.give_back_unknown(conn)
        if not self.refused_outcomes.settle(conn, batch) and room:
            self._claim_by_name(conn, room)

    def is_echo(self, pid: int) -> bool:
        """Whether what this process of the server tells is what the last step did, and is looked after here."""
        return pid == self._echo

    def expect_no_echo(self) -> None:
        """What is told from now on is news, whoever did it."""
        self._echo = 0

    def failed(self, seconds: float) -> None:
        """What was begun so long ago got no answer, or was refused."""
        # Whatever woke it is still to be looked at, and what is given back now is news.
        self._pace.woken = True
        self.expect_no_echo()
        self._served.failed()
        self._stepper.unanswered(seconds)

    def _offer(self, conn: Connection, room: int, now: float, *, going: bool, due: bool) -> Offer:
        searching = not self._pace.more and now >= self._pace.claim_at
        # What is heard from now on is heard anew.
        self._pace.woken = False
        return self._served.offer(conn, now, room, going=going, due=due, searching=searching)

    def _take(self, conn: Connection, step: Step, *, has_limits: bool = False) -> None:
        if step.claims or step.expired:
            self._fruitful()
        if not (fresh := self._held.took(step.claims + step.expired)):
            self._renew("the database gave out a claim that is held here: it was set back to an earlier moment")
        self._unexecuted.end_expired(step.expired if fresh else [])
        if fresh:
            told = self._told(conn, step.claims)
            if len(told) < len(step.claims):
                self._unexecuted.give_back(step.claims)
            if self._trust is not None:
                told = self._trusted(conn, self._trust, told, step.now)
            claims, waiting = self._last_tries.split(told)
            self._unexecuted.give_back(waiting)
            if why := self._barred(claims):
                self._unexecuted.refuse([claim for claim in claims if claim.token in why], why)
                claims = [claim for claim in claims if claim.token not in why]
            submit = self._slots.submit
            if self._gathering.gathers(claims):
                submit = self._sorting(conn, claims, has_limits)
            if not self._gate.pass_on(claims, submit):
                self._unexecuted.give_back(claims)
        if not step.alive:
            self._evicted("its lease is gone")

    def _trusted(self, conn: Connection, trust: Trust, claims: list[Claim], now: datetime) -> list[Claim]:
        """Those that are what was signed; the others end here."""
        try:
            trusted, doubted = trust.split(conn, claims, now)
        except BaseException:
            # Nobody knows, so none may run.
            self._unexecuted.give_back(claims)
            raise
        self._unexecuted.distrust(doubted)
        return trusted

    def _sorting(
        self, conn: Connection, claims: Sequence[Claim], has_limits: bool
    ) -> Callable[[Sequence[Claim]], None]:
        """What submits claims, but for those that are to wait for others."""
        keys: Mapping[UUID, str] = {}
        if has_limits:
            try:
                keys = execute(conn, together.limit_keys([claim.id for claim in claims]))
            except Exception:  # They are held, and to be run: each for itself, as nobody knows who belongs together.
                return self._slots.submit
        return lambda claims: self._slots.submit(self._gathering.sort(claims, keys, has_limits=has_limits))

    def _claim_by_name(self, conn: Connection, room: int) -> None:
        offer = self._offer(conn, room, time.monotonic(), going=True, due=True)
        claimed = False
        try:
            for step in self.refused_jobs.claim(conn, offer.slots, offer.lag, min(BY_NAME, self._stepper.limit(room))):
                self._take(conn, step)
                claimed = claimed or bool(step.claims or step.expired)
                now = time.monotonic()
                self._plan(conn, Answer(step, now, 0.0, 0, full=not self.refused_jobs.short), now)
        except Exception:
            self._served.failed()
            raise
        self._served.passed(claimed=claimed)

    def _plan(self, conn: Connection, answer: Answer | None, now: float, *, unasked: bool = False) -> None:
        """When to claim next, and whether to be told of new work; `unasked` if only keyed jobs were asked for."""
        claimed = answer is not None and bool(answer.claims)
        more = unasked or (answer is not None and answer.full) or self._served.due(now) or self.keyed.due(now)
        short = not more
        self._hungry(short)
        coming = [*self._served.coming, *self.keyed.coming]
        if answer is not None and answer.step.next_due is not None:
            coming.append(now + max(0.0, (answer.step.next_due - answer.step.now).total_seconds()))
        elif short and claimed:
            # A step that claims something does not ask when the next falls due.
            coming.append(now + ASK_AGAIN)
        self._pace.claimed(now, short=short, coming=coming, searching=self._served.searching(now))
        held = len(self._held) - self._outbox.refused
        drained = short and self._served.swept(now) and self.keyed.swept and not claimed and not held
        if drained and self._burst and execute(conn, workflows.owes()):
            # The next step that finds nothing takes them up.
            self._pace.remind(now + ASK_AGAIN)
            drained = False
        self.drained = drained
