"""Company: with how many others a job of a batch task is tried, and what a failure of all makes of each of them.

Whoever brought the whole call down is found by trying again in smaller company. So that no other one is dead for it,
a job's last attempt is its own: it runs alone.
"""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

from pgqueue.job import Claim
from pgqueue.judge import UNKNOWN, Terms, judge
from pgqueue.outcome import Ended, Failed, Move, Outcome, Settlement, TimedOut

# Jobs in one call at most, and the longest that the first of them waits for others, seconds.
MOST_TOGETHER = 1_000
LONGEST_WAIT = 60.0
# Each attempt at a job is made in a company so many times smaller than the one before.
SHRINKS = 10
# Of the largest batch, this many attempts lead to a call for one alone.
_ALONE_AFTER = 9


class Batching(NamedTuple):
    """At most `size` jobs of a task run in one call; for others the first of them waits `wait` seconds."""

    size: int
    wait: float

    def company(self, claim: Claim, most_attempts: int | None) -> int:
        """How many jobs may run in one call with this one, itself counted; 1 is alone.

        `most_attempts` is what its task says. After a crash it is alone at once: three of them in a row make it dead.
        """
        if claim.crashes or claim.attempt >= claim.most_attempts(most_attempts) or claim.attempt > _ALONE_AFTER:
            return 1
        return max(1, self.size // int(SHRINKS ** (claim.attempt - 1)))


def judge_together(claim: Claim, outcome: Outcome, terms: Terms = UNKNOWN) -> Settlement:
    """What an outcome of a whole batch makes of one of its jobs.

    None ends by a failure that may be another's, whatever the retry policy, `on_timeout` or its attempts say.
    """
    # Nor does other code go on with it for that.
    terms = dataclasses.replace(terms, fallback=None)
    match outcome:
        case Ended():
            # So the task itself has said.
            return judge(claim, outcome, terms)
        case Failed():
            outcome = dataclasses.replace(outcome, retryable=True)
        case TimedOut():
            terms = dataclasses.replace(terms, on_timeout="retry")
    settlement = judge(claim, outcome, terms)
    if settlement.move is not Move.END or settlement.outcome not in ("failed", "timeout", "crashed"):
        return settlement
    return settlement._replace(move=Move.RETRY, reason=None, delay=terms.retry.delay(claim.attempt))
