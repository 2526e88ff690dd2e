"""From the outcome of an attempt to what is written down about it, whatever its task's own policy does."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from time import monotonic
from typing import Any

from pgqueue import encryption
from pgqueue.cause import cause_of
from pgqueue.encryption import Kind, Place
from pgqueue.errors import EncryptionError, KeyringError
from pgqueue.events import Finished, succeeded
from pgqueue.job import Claim
from pgqueue.judge import EXPECTED, UNKNOWN, Terms, judge
from pgqueue.leaving_out import without
from pgqueue.outcome import (
    LONGEST_DELAY,
    Failed,
    Move,
    Outcome,
    Settlement,
)
from pgqueue.redaction import secrets_of
from pgqueue.retry import DEFAULT_RETRY
from pgqueue.secrecy import Secrecy
from pgqueue.tasks import Task
from pgqueue.worker.attempts.arguments import Taken
from pgqueue.worker.attempts.call import SUCCEEDED
from pgqueue.worker.attempts.tracebacks import report, with_note

# Of these a worker says why, and no task.
_OURS = frozenset({Move.WAIT, Move.PARK, Move.LATE})
# What an outcome makes of a job, on the terms of its task.
Judging = Callable[[Claim, Outcome, Terms], Settlement]


def finish(
    claim: Claim,
    outcome: Outcome,
    task: Task[..., Any] | None,
    began: float,
    given: Taken | None = None,
    judging: Judging = judge,
) -> Finished:
    """The settlement of an outcome, of what began at monotonic() time `began` and ends now.

    `given` are its arguments, where they are not as JSON has them in the claim.

    A retry policy that raises or answers nonsense hurts its own job alone.
    """
    ended = monotonic()
    if outcome is SUCCEEDED:
        # By far the most, and nothing to judge.
        return succeeded(claim, ended - began, ended)
    finished = _judged(claim, outcome, task, ended - began, judging)
    if task is not None and task.secrecy is not None:
        finished = _without_secrets(finished, task.secrecy, claim.args if given is None else given.json)
    return finished if given is None or not given.encrypted else encrypted(finished)


def encrypted(done: Finished) -> Finished:
    """With what its error says encrypted, and a cause that tells nothing of it: nobody need read it to guess it."""
    said = done.settlement
    if said.move in _OURS or said.error is said.traceback is None:
        return done
    claim = done.claim
    cause = said.cause
    if cause is not None:
        kind = f"{said.error_type}{EXPECTED if said.expected else ''}"
        cause = cause_of(claim.target, kind, None, said.traceback)
    error, traceback = (
        _encrypted(text, Place(kind, claim.id))
        for text, kind in ((said.error, Kind.ERROR), (said.traceback, Kind.TRACEBACK))
    )
    return done._replace(settlement=said._replace(error=error, traceback=traceback, cause=cause))


def _encrypted(text: str | None, place: Place) -> str | None:
    """A text as it is written; never in the clear, whatever is wrong with the keys."""
    if text is None or encryption.is_encrypted_text(text):
        return text
    try:
        return encryption.encrypted(text, place)
    except (EncryptionError, KeyringError) as error:
        return f"not kept, since it could not be encrypted: {error}"


def _judged(claim: Claim, outcome: Outcome, task: Task[..., Any] | None, elapsed: float, judging: Judging) -> Finished:
    try:
        return Finished(claim, _settlement(claim, outcome, task, judging), elapsed, monotonic())
    except BaseException as error:
        terms = UNKNOWN if task is None else dataclasses.replace(task.terms, retry=DEFAULT_RETRY)
        try:
            noted = with_note(outcome, "its retry policy raised, too, and the default one was used", error)
            return Finished(claim, judging(claim, noted, terms), elapsed, monotonic())
        except BaseException as second:
            return Finished(claim, judging(claim, Failed(report(second)), terms), elapsed, monotonic())


def _without_secrets(done: Finished, secrecy: Secrecy, args: str) -> Finished:
    """What no report of an exception said: the words about it, and what raised outside of the task."""
    said = done.settlement
    if said.error is said.traceback is None:
        return done
    secrets = secrets_of(secrecy, args)
    clean = said._replace(error=without(said.error, secrets), traceback=without(said.traceback, secrets))
    return done._replace(settlement=clean)


def _settlement(claim: Claim, outcome: Outcome, task: Task[..., Any] | None, judging: Judging) -> Settlement:
    if task is None:
        return judging(claim, outcome, UNKNOWN)
    settlement = judging(claim, outcome, task.terms)
    if not 0 <= settlement.delay <= LONGEST_DELAY:
        raise ValueError(f"a delay must be from 0 to {LONGEST_DELAY:.0f} seconds, got {settlement.delay!r:.80}")
    if type(settlement.delay) is not float:
        # Of a class of the user's, it could not travel to the worker.
        return settlement._replace(delay=float(settlement.delay))
    return settlement
