"""Why jobs are dead, in a sentence."""

from __future__ import annotations

from collections.abc import Mapping

from pgqueue.outcome import Reason

MEANINGS: Mapping[str, str] = {
    Reason.EXHAUSTED: "its attempts are used up",
    Reason.NOT_RETRIED: "its retry policy does not retry this error",
    Reason.POISON: "it ended its process again and again",
    Reason.BURIED: "its task asked for a human",
    Reason.REFUSED: "no worker is willing to call its target",
    Reason.UNREGISTERED: "no live worker knew its task for as long as it may wait",
    Reason.UNBINDABLE: "its arguments do not fit its task",
    Reason.UNREADABLE: "its arguments cannot be read",
    Reason.EXPIRED: "it was not started within its ttl",
    Reason.TIMEOUT: "it ran longer than its timeout, and its task wants no second attempt then",
    Reason.UNWRITABLE: "the database refused its row, or its outcome",
    Reason.LOST: "it may run at most once, and nobody knows how far its attempt came",
    Reason.GIVEN_UP: "it waited for a human, who could not do it either",
}


def meaning(reason: str | None) -> str | None:
    """What a reason means; None for one that is not ours."""
    return None if reason is None else MEANINGS.get(reason)
