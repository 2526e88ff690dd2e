"""What is done with all jobs that a search finds, and with the bulk actions that come of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from pgqueue import operations
from pgqueue.acting import operations as acting
from pgqueue.dashboard.actions.action import Action, Doing, Done
from pgqueue.dashboard.actions.meant import BULK, OPERATION, PERMISSIONS, Meant, refused
from pgqueue.dashboard.database import Conn
from pgqueue.dashboard.fields import Field, whole
from pgqueue.errors import UsageError
from pgqueue.operations import Plan
from pgqueue.store.operations import Operation

# A preview is good for so long.
GOOD_FOR = timedelta(hours=1)
# From so many jobs on a trial is proposed, and a rate.
TRIAL_FROM, RATE_FROM = 20, 1_000


def _plan(doing: Doing) -> Plan:
    meant: Meant = doing.thing
    said = doing.values
    return Plan(
        kind=meant.kind,
        filter=meant.filter,
        made_at=said["made_at"] or meant.made_at,
        who=doing.actor.who,
        via=doing.actor.via,
        priority=said.get("level"),
        rate=said["rate"],
        trial=said.get("trial"),
        most_failing=said.get("stop_at"),
        detached=True,
        reason=doing.actor.reason,
    )


def _begin(conn: Conn, doing: Doing) -> Done:
    seen = doing.thing.seen
    if seen.whole and not seen.count:
        raise UsageError("no such job any more: there is nothing to do")
    if operations.is_to_be_typed(seen) and doing.values["typed"] != seen.count:
        raise UsageError(f"these are many: type {seen.count} where it asks how many, to {doing.thing.kind} all of them")
    number = operations.begin(conn, _plan(doing))
    return Done("Begun.", True, ("operation", {"number": number}), wakes=True)


def _made_at(said: str) -> datetime:
    """The moment of the preview: what comes later is not meant."""
    try:
        found = datetime.fromisoformat(said)
        if found.tzinfo is not None and timedelta(0) <= datetime.now(UTC) - found + timedelta(minutes=5) <= GOOD_FOR:
            return found
    except (ValueError, OverflowError):
        pass
    raise UsageError("this preview is too old: look at it again")


def _count(said: str) -> int:
    return whole(said.replace(",", ""))


def _at_first(proposed: str, since: int) -> Callable[[Doing], str]:
    return lambda doing: proposed if doing.thing.seen.count > since else ""


_MADE_AT = Field("made_at", "Made at", _made_at, now=lambda doing: doing.thing.made_at.isoformat(), kind="hidden")
_RATE = Field(
    "rate", "At most", operations.rate_of, "50/s, 600/m, 1000/h; empty: as fast as goes", _at_first("50/s", RATE_FROM)
)
_TRIAL = Field(
    "trial",
    "First a trial of",
    whole,
    "jobs: what becomes of them is awaited; at most 500",
    _at_first("10", TRIAL_FROM),
)
_STOP_AT = Field("stop_at", "Stop if more fail again than", operations.share_of, "of the trial; empty: 50%")
_TYPED = Field("typed", "How many are these?", _count, "asked for above 10,000 jobs, or where not all were counted")
_LEVEL = Field(
    "level",
    "Priority",
    whole,
    "higher runs first",
    lambda _doing: "5",
    kind="choice",
    choices=[(str(level), str(level)) for level in range(10)],
    required=True,
)
_WORDS = {
    "retry": "Retry all",
    "cancel": "Cancel all",
    "bury": "Bury all",
    "purge": "Purge all",
    "priority": "Priority of all",
}
_MORE = {"retry": (_TRIAL, _STOP_AT), "priority": (_LEVEL,)}
_ABOUT = {
    "retry": "Dead jobs begin anew, with all their attempts; those that wait are due.",
    "cancel": "Those that wait will never start, and cannot be revived; those that run are told to end.",
    "bury": "They are dead at once, and wait for a human: Retry revives them.",
    "purge": "They are forgotten for good. Export them before, if somebody may want to know.",
    "priority": "Those that wait have another priority from then on.",
}


def _fits(kind: str, *states: str) -> Callable[[Operation], bool]:
    return lambda operation: operation.kind == kind and operation.state in states


def _stop(conn: Conn, doing: Doing) -> Done:
    done = acting.stop(conn, doing.actor, doing.thing)
    return Done("It stops after the batch under way." if done else "It does not run any more.", done)


def _resume(conn: Conn, doing: Doing) -> Done:
    done = acting.resume(conn, doing.actor, doing.thing, detached=True)
    return Done("It goes on where it stood." if done else "It is done already.", done, wakes=True)


ACTIONS = (
    *(
        Action(
            kind,
            on=BULK[kind],
            words=_WORDS[kind],
            permission=permission,
            fields=(*_MORE.get(kind, ()), _RATE, _TYPED, _MADE_AT),
            about=_ABOUT[kind],
            shows="actions/meant.html",
            refuses=refused,
            act=_begin,
        )
        for kind, permission in PERMISSIONS.items()
    ),
    *(
        Action(
            f"{name}-{kind}",
            on=OPERATION[kind],
            words=words,
            permission=permission,
            fits=_fits(kind, *states),
            act=act,
        )
        for kind, permission in PERMISSIONS.items()
        for name, words, states, act in (
            ("stop", "Stop", ("running",), _stop),
            ("resume", "Resume", ("stopped", "running"), _resume),
        )
    ),
)
