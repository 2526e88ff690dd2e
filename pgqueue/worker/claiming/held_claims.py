"""What a worker holds: each claim from the step that took it until the database has acknowledged its outcome."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from pgqueue.events import AttemptsFinished, AttemptsLate, Finished, Observer
from pgqueue.job import Claim, Token
from pgqueue.worker.claiming.outbox import Outbox
from pgqueue.worker.claiming.unknown_claims import UnknownClaims
from pgqueue.worker.loop import Connection


def weight(claims: Iterable[Claim]) -> int:
    """About how many bytes claims take here. On the path of every job, as is what weighs one where it ends."""
    return sum([len(claim.args) if claim.labels is None else len(claim.args) + len(claim.labels) for claim in claims])


class HeldClaims:
    """The claims that are open, and those that the database alone knows of; used by the claim loop."""

    def __init__(self, worker: int, outbox: Outbox, observe: Observer) -> None:
        self._outbox = outbox
        self._observe = observe
        # By job and claim number: an older claim that ends late does not end the newer one.
        self._claims: dict[Token, Claim] = {}
        self.unknown = UnknownClaims(worker, observe)
        # What observers are still to be told.
        self._untold: AttemptsFinished | None = None
        # How many were ever taken, and how large those are that are open.
        self.total = 0
        self.size = 0

    def __len__(self) -> int:
        return len(self._claims)

    @property
    def clean(self) -> bool:
        """Whether this worker certainly holds nothing: no claim is open, and no reply ever got lost."""
        return not self._claims and not self.unknown.ever_suspected

    def took(self, claims: Iterable[Claim]) -> bool:
        """A step answered with these. False if one of them is held already; then none of them may be begun.

        What was held goes on under the same token. The others are unknown claims.
        """
        # Claim.token without its call.
        taken: dict[Token, Claim] = {(claim.id.int, claim.claim): claim for claim in claims}
        if not self._claims.keys().isdisjoint(taken):
            self.unknown.suspect()
            return False
        self._claims.update(taken)
        self.total += len(taken)
        self.size += weight(taken.values())
        return True

    def settled(self, batch: Sequence[Finished], late: frozenset[UUID], at: datetime, asked: float) -> None:
        """The first ones of the outbox were written, or refused because they were late; at what time there and here."""
        self._outbox.forget(len(batch))
        self._ended(batch, late, at, asked)

    def settled_apart(self, batch: Sequence[Finished], late: frozenset[UUID], tokens: Collection[Token]) -> None:
        """As settled(), for some of the outbox, whichever they are."""
        self._outbox.take_out(tokens)
        self._ended(batch, late)

    def give_back_unknown(self, conn: Connection) -> None:
        """Give back what the database says is held here and is not, if there is reason to look."""
        self.unknown.give_back(conn, self._claims.values())

    def _ended(
        self, batch: Sequence[Finished], late: frozenset[UUID], at: datetime | None = None, asked: float = 0.0
    ) -> None:
        if not batch:
            return
        ended = [
            held
            for done in batch
            if (held := self._claims.pop((done.claim.id.int, done.claim.claim), None)) is not None
        ]
        self.size -= weight(ended)
        self.tell()
        if late:
            self._observe(AttemptsLate([done for done in batch if done.claim.id in late]))
            batch = [done for done in batch if done.claim.id not in late]
        self._untold = AttemptsFinished(batch, at, asked)

    def tell(self) -> None:
        """Tell observers of what was settled last: when the database is at the next step, or nothing else is to do."""
        untold, self._untold = self._untold, None
        if untold is not None:
            self._observe(untold)
