"""Trust: which of the jobs that were claimed are what somebody with a key has signed. Only these run.

Asked for where the worker was told to require signatures, and not on the way of all others. What the database itself
puts together, follow-ups and ticks of schedules, is compared with what was signed of it, or with what the tasks here
declare; results that it fills in among arguments are nobody's to sign.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

from pgqueue.encryption import unwrapped
from pgqueue.errors import KeyringError
from pgqueue.job import Claim
from pgqueue.judge import Terms
from pgqueue.keyring import KeySource
from pgqueue.signing import Early, Kind, Seal, SignedTerms, Untrusted, Verdict, check, seal_in
from pgqueue.signing.checking import UNREADABLE, UNSIGNED, bound
from pgqueue.signing.seal import context_in, headers_in
from pgqueue.signing.terms import about_follow_up
from pgqueue.signing.unfilled import without_ended, without_filled
from pgqueue.store import execute, sealed_jobs
from pgqueue.store.sealed_jobs import LONGEST_NAME, Brought, SealedJob, Tick
from pgqueue.worker.claiming.declared import Declared
from pgqueue.worker.loop import Connection
from pgqueue.worker.selection import Selection

# Seconds for which the end of a job is certainly known: history is kept for 7 days (pruner.py), and clocks differ.
KNOWN_FOR = 7 * 86_400.0 - 3_600.0
# Which end a follow-up awaits, by how it was brought (follow_up.sql).
_AWAITED = {"on_success": "succeeded", "on_failure": "dead", "on_end": "end"}
_COPY = Untrusted("a job of this id has ended before, or waits elsewhere: this is a copy of its row")


class Doubted(NamedTuple):
    """A claim that is not to run now, and why."""

    claim: Claim
    verdict: Untrusted | Early


class Trust:
    """Judges claims by the keys of `source`. `queues` are those in which signatures are required."""

    def __init__(
        self, source: KeySource, queues: Selection, declared: Declared, terms: Callable[[str], Terms | None]
    ) -> None:
        self._source = source
        self._queues = queues
        self._declared = declared
        self._terms = terms

    def split(self, conn: Connection, claims: Sequence[Claim], now: datetime) -> tuple[list[Claim], list[Doubted]]:
        """Which of these may run, and which may not; `now` is the database's clock.

        Raises what the database, or the source of the keys, raises: then nobody knows, and none may run.
        """
        asked = [claim for claim in claims if self._queues.serves(claim.queue)]
        if not asked:
            return list(claims), []
        found = execute(conn, sealed_jobs.sealed([claim.id for claim in asked]))
        verdicts = {claim.token: _contained(partial(self._own, claim, found.get(claim.id), now)) for claim in asked}
        if made := [claim for claim in asked if isinstance(verdicts[claim.token], Untrusted)]:
            brought = execute(conn, sealed_jobs.brought({claim.id: tick_of(claim) for claim in made}))
            for claim in made:
                row, origin = found.get(claim.id), brought.get(claim.id)
                if row is not None and not row.is_copy and origin is not None:
                    other = _contained(partial(self._made, claim, row, origin, now))
                    verdicts[claim.token] = verdicts[claim.token] if other is UNSIGNED else other
        doubted = [Doubted(claim, said) for claim in asked if (said := verdicts[claim.token]) is not None]
        held_back = {each.claim.token for each in doubted}
        return [claim for claim in claims if claim.token not in held_back], doubted

    def _own(self, claim: Claim, row: SealedJob | None, now: datetime) -> Verdict:
        """Of a job that is signed as such."""
        if row is None or row.is_copy:
            return _COPY
        headers = headers_in(row.headers)
        if (said := seal_in(headers)) is None:
            return UNSIGNED
        seal = Seal.read(said)
        if seal is None:
            return UNREADABLE
        if seal.kind is not Kind.JOB:
            return UNSIGNED
        args = without_filled(claim.args, seal.filled) if seal.filled else claim.args
        terms = SignedTerms(
            kind=Kind.JOB,
            about=str(claim.id),
            target=_first_target(claim, row),
            args=unwrapped(claim.args if args is None else args),
            filled=seal.filled,
            queue=bound(seal, "queue", claim.queue),
            not_before=seal.not_before,
            max_attempts=_max_attempts(row),
            tenant=bound(seal, "tenant", row.tenant),
            labels=_labels(claim),
            context=context_in(headers) or None,
        )
        verdict = check(terms, seal, self._source.find, now)
        if verdict is None and claim.claim == 1:
            verdict = _too_old(seal, now)
        return verdict or self._fallen(claim, row)

    def _made(self, claim: Claim, row: SealedJob, origin: Brought, now: datetime) -> Verdict:
        """Of a job that the database has put together; UNSIGNED if it is none."""
        if origin.schedule is not None:
            return self._tick(claim, row, origin, now) or self._fallen(claim, row)
        awaited = _AWAITED.get(origin.how or "")
        if awaited is None or origin.parent is None or (args := without_ended(claim.args)) is None:
            return UNSIGNED
        if self._declared.follows(origin.parent_target, awaited, _first_target(claim, row), args):
            return self._fallen(claim, row)
        headers = headers_in(row.headers)
        seal = Seal.read(seal_in(headers) or "")
        if seal is None or seal.kind is not Kind.FOLLOW_UP:
            return UNSIGNED
        about = about_follow_up(origin.parent, awaited)
        return self._composed(claim, row, seal, about, args, now, _labels(claim)) or self._fallen(claim, row)

    def _tick(self, claim: Claim, row: SealedJob, origin: Brought, now: datetime) -> Verdict:
        assert origin.schedule is not None, "it is a tick"
        if self._declared.ticks(origin.schedule, _first_target(claim, row), claim.args):
            return None
        seal = Seal.read(origin.signature or "")
        if seal is None or seal.kind is not Kind.TICK:
            return Untrusted(
                f"it is a tick of the schedule {origin.schedule}, which neither a task here declares nor anybody signed"
            )
        return self._composed(claim, row, seal, origin.schedule, claim.args, now, None)

    def _composed(
        self,
        claim: Claim,
        row: SealedJob,
        seal: Seal,
        about: str,
        args: str,
        now: datetime,
        labels: Mapping[str, str] | None,
    ) -> Verdict:
        terms = SignedTerms(
            kind=seal.kind,
            about=about,
            target=_first_target(claim, row),
            args=unwrapped(args),
            queue=bound(seal, "queue", claim.queue),
            max_attempts=_max_attempts(row),
            tenant=bound(seal, "tenant", row.tenant),
            labels=labels,
        )
        return check(terms, seal, self._source.find, now)

    def _fallen(self, claim: Claim, row: SealedJob) -> Verdict:
        """Of a job that has fallen back from its target: whether the tasks here say that it falls so."""
        for target, to in pairwise([*(row.fallen_from or ()), claim.target]):
            terms = self._terms(target)
            if terms is None or terms.fallback is None or terms.fallback.to != to:
                return Untrusted(f"it fell back from {target} to {to}, which no task here declares")
        return None


def tick_of(claim: Claim) -> Tick:
    """Which tick a job says that it is."""
    labels = _labels(claim) or {}
    name, at = labels.get("schedule"), labels.get("scheduled_for")
    if not isinstance(name, str) or not isinstance(at, str) or len(name) > LONGEST_NAME:
        return Tick(None, None)
    try:
        moment = datetime.fromisoformat(at)
        return Tick(name, moment.astimezone(UTC))
    except (ValueError, OverflowError):
        return Tick(None, None)


def _contained(judge: Callable[[], Verdict]) -> Verdict:
    """Whatever somebody has written into a row, it hurts that job alone."""
    try:
        return judge()
    except KeyringError:
        raise
    except Exception:
        return UNREADABLE


def _max_attempts(row: SealedJob) -> int | None:
    """As the job said it for its first target."""
    said = json.loads(row.own_terms or "{}").get("max_attempts")
    return row.max_attempts if said is None else int(said)


def _first_target(claim: Claim, row: SealedJob) -> str:
    return row.fallen_from[0] if row.fallen_from else claim.target


def _labels(claim: Claim) -> Mapping[str, Any] | None:
    if claim.labels is None:
        return None
    try:
        found = json.loads(claim.labels)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and found else None


def _too_old(seal: Seal, now: datetime) -> Verdict:
    """Of a job that was never claimed: whether one of its id may have ended so long ago that nobody knows any more."""
    age = now.timestamp() - max(seal.signed_at, seal.not_before or 0) / 1_000
    if age <= KNOWN_FOR:
        return None
    return Untrusted(
        f"it was signed to run {age / 86_400:.0f} days ago, longer than ends are remembered: it may be a copy of a job"
        " that has ended. Look at it, and sign it anew: pgqueue jobs sign"
    )
