"""Refused outcomes: set aside one by one, so that they hold up no other; tried again, and in the end given up."""

from __future__ import annotations

from collections.abc import Sequence

from pgqueue.events import Finished, Observer
from pgqueue.ids import uuid_of
from pgqueue.job import Token
from pgqueue.store.outages import is_lost
from pgqueue.worker.claiming.held_claims import HeldClaims
from pgqueue.worker.claiming.narrowing import narrow
from pgqueue.worker.claiming.outbox import Outbox
from pgqueue.worker.claiming.refusals import Refusals
from pgqueue.worker.claiming.settler import Settled, given_up, settle, settle_alone
from pgqueue.worker.loop import Connection

# So many are tried again at one go.
AT_ONCE = 20


class RefusedOutcomes:
    """Those that the database refuses by themselves; used by the claim loop."""

    def __init__(self, worker: int, outbox: Outbox, held: HeldClaims, observe: Observer) -> None:
        self._worker = worker
        self._outbox = outbox
        self._held = held
        self._observe = observe
        self.refusals: Refusals[Token] = Refusals(
            lambda count: f"the outcomes of {count} jobs", lambda token: uuid_of(token[0])
        )

    def settle(self, conn: Connection, batch: Sequence[Finished]) -> bool:
        """Write what the database takes of a batch that it has refused whole; whether anything was refused alone.

        Raises what all of it is refused with, if that is no matter of single ones.
        """
        before = self.refusals.count
        for settled in narrow(
            conn,
            batch,
            lambda part: settle(conn, self._worker, part),
            lambda done, error: self._alone(conn, done, error),
        ):
            tokens = {done.claim.token for done in settled.batch}
            self._held.settled_apart(settled.batch, settled.late, tokens)
            self.refusals.accept(tokens)
        return self.refusals.count > before

    def retry(self, conn: Connection) -> None:
        """Try those again that are due, each alone."""
        for token in self.refusals.due()[:AT_ONCE]:
            if (done := self._outbox.refused_one(token)) is not None:
                self.settle(conn, [done])
        if (news := self.refusals.news()) is not None:
            self._observe(news)

    def _alone(self, conn: Connection, done: Finished, error: Exception) -> Settled | None:
        token = done.claim.token
        try:
            return settle_alone(conn, self._worker, done, error)
        except Exception as refused:  # Whatever it is: this one cannot be written now.
            if is_lost(conn, refused):
                raise
            if self.refusals.is_hopeless(token) and (settled := self._give_up(conn, done, token)) is not None:
                return settled
            self._outbox.refuse(done)
            self.refusals.refuse(token, refused)
            if self.refusals.general:
                raise
            return None

    def _give_up(self, conn: Connection, done: Finished, token: Token) -> Settled | None:
        refusal = self.refusals[token]
        ended = done._replace(settlement=given_up(done.settlement, refusal.error, refusal.seconds))
        try:
            return settle(conn, self._worker, [ended])
        except Exception as error:  # Where not even this is taken, the outcome waits on, and is told of.
            if is_lost(conn, error):
                raise
            return None
