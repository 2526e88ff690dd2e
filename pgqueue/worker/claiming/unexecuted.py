"""Claims that end without an executor: given back, refused, or past their ttl."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pgqueue.events import Finished
from pgqueue.job import Claim, Token
from pgqueue.judge import UNKNOWN, Terms, judge
from pgqueue.outcome import LONGEST_DELAY, Cancelled, Ended, Expired, Reason, Released, Settlement, error_report
from pgqueue.signing import Early, Untrusted
from pgqueue.worker.claiming.outbox import Outbox
from pgqueue.worker.claiming.trust import Doubted

_NOT_STARTED = "claimed ahead, and no slot came free for it here"


class Unexecuted:
    """Puts their outcomes into the outbox, and counts them: nobody worked for them."""

    def __init__(self, outbox: Outbox, terms: Callable[[str], Terms | None]) -> None:
        self._outbox = outbox
        self._terms = terms
        self.count = 0

    def give_back(self, claims: Sequence[Claim]) -> None:
        """They were never started: others may have them at once."""
        self._add(claims, lambda claim: judge(claim, Released(started=False, why=_NOT_STARTED)))

    def cancel(self, claims: Sequence[Claim]) -> None:
        """They are not wanted any more, and are never started."""
        self._add(claims, lambda claim: judge(claim, Cancelled("cancelled before it was started")))

    def refuse(self, claims: Sequence[Claim], why: Mapping[Token, str]) -> None:
        """They must not run, and nobody else may run them either."""
        self._add(claims, lambda claim: judge(claim, Ended(Reason.REFUSED, error_report("Refused", why[claim.token]))))

    def end_expired(self, claims: Sequence[Claim]) -> None:
        """They are past their ttl, and are never started."""
        self._add(claims, lambda claim: judge(claim, Expired(), self._terms(claim.target) or UNKNOWN))

    def distrust(self, doubted: Sequence[Doubted]) -> None:
        """Nobody with a key has signed them, or not for now: they are never started, or put off until their time."""
        verdicts = {each.claim.token: each.verdict for each in doubted}
        self._add([each.claim for each in doubted], lambda claim: _refused(claim, verdicts[claim.token]))

    def _add(self, claims: Sequence[Claim], settlement: Callable[[Claim], Settlement]) -> None:
        if claims:
            self.count += len(claims)
            self._outbox.add([Finished(claim, settlement(claim), 0.0) for claim in claims])


def _refused(claim: Claim, verdict: Untrusted | Early) -> Settlement:
    match verdict:
        case Untrusted(why):
            return judge(claim, Ended(Reason.UNTRUSTED, error_report("pgqueue.Untrusted", why)))
        case Early(seconds):
            delay = min(seconds, LONGEST_DELAY)
            return judge(claim, Released(delay, started=False, why="it was signed to run later than it was due"))
