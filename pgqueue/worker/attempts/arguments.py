"""The arguments of a claim as its function takes them: decrypted, opened where a codec wrote them, and of the annotated
types.

Few tasks ask for any of it; for the jobs of others nothing here is called.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from pgqueue import encryption
from pgqueue.arguments.mismatch import Mismatch, said
from pgqueue.arguments.said_forms import said_forms
from pgqueue.codec import encode, encode_args
from pgqueue.context import JobContext, Spawner
from pgqueue.encryption import Kind
from pgqueue.errors import ArgumentError, CodecError, EncryptionError, KeyringError
from pgqueue.job import Claim
from pgqueue.leaving_out import without
from pgqueue.outcome import Ended, Failed, Outcome, Reason, Released, error_report
from pgqueue.redaction import Redaction, secrets_of
from pgqueue.sealed import CODEC, ENDED, codec_of
from pgqueue.sealing import has_codec, opened, sealed
from pgqueue.secrecy import Secrecy
from pgqueue.tasks import Task, registered

# A job whose codec is not here is given back, for so many seconds at first, at most so many, and so often.
_FIRST_DELAY, _LAST_DELAY, _MOST_GIVEN_BACK = 2.0, 300.0, 25
# Of one job, each the fallback of the one before.
_MOST_FALLBACKS = 20
_BY_NAME = Redaction()


class Taken(NamedTuple):
    """Arguments as the function takes them, and `raw` as they were before their annotations were asked.

    `json` is their text: of what was sealed, if JSON can say it. `encrypted`: so is what is written of the job.
    """

    args: list[Any]
    kwargs: dict[str, Any]
    raw: list[Any] | dict[str, Any]
    json: str
    encrypted: bool = False


def taken(claim: Claim, task: Task[..., Any], args: list[Any], kwargs: dict[str, Any]) -> Taken | Outcome:
    """What the function is called with; else the outcome: a job is never lost for want of a codec, or of a key."""
    text, is_encrypted = claim.args, task.is_encrypted
    try:
        if task.bounds.codec is not None and not has_codec(task.bounds.codec):
            raise CodecError(f"the codec {task.bounds.codec!r} of its task is not registered here", task.bounds.codec)
        if CODEC in text:
            # What came encrypted does not go out in the clear, whatever its task says here.
            is_encrypted = is_encrypted or encryption.is_in(args or kwargs)
            args, kwargs, text = _opened(claim, args or kwargs)
        if is_encrypted:
            # What it returns could not be written: it does not begin.
            encryption.writing_key()
        raw = args or kwargs
        if (convert := task.calling.conversion) is not None:
            args, kwargs = convert(args, kwargs)
    except EncryptionError as error:
        return _unreadable(claim, error) if error.lasting else _given_back(claim, error)
    except (CodecError, KeyringError) as error:
        return _given_back(claim, error)
    except (Mismatch, RecursionError) as error:
        shown = isinstance(error, Mismatch) and not is_encrypted and _may_be_shown(task.secrecy, error.trail)
        return Ended(Reason.UNBINDABLE, error_report("Unbindable", said(error, "args", shown=shown)))
    return Taken(args, kwargs, raw, text, is_encrypted)


def result_of(task: Task[..., Any], value: object) -> str:
    """What a task returned as JSON. Raises ArgumentError, and what its codec raises."""
    name = task.bounds.codec
    return encode(value if name is None else sealed(name, value, "result"), "result")


class OwnContext(JobContext):
    """The context of a job whose arguments are not as JSON has them, or of which anything is encrypted, or sealed."""

    def __init__(
        self,
        claim: Claim,
        task: Task[..., Any],
        given: Taken,
        labels: Mapping[str, str],
        deadline: float | None,
        spawner: Spawner,
    ) -> None:
        super().__init__(claim, given.raw, labels, deadline, task.transactional, task.secrecy, spawner)
        self._task = task
        self._given = given

    def hide(self, text: str) -> str:
        """As of JobContext; values are also hidden as Python says them."""
        if self._secrecy is None:
            return text
        if self._secrets is None:
            found = secrets_of(self._secrecy, self._given_as_json)
            # Of what the function was given; if it changed that since, what JSON has of it is known all the same.
            self._secrets = (None if found is None else found | self._said(self._secrecy),)
        return without(text, self._secrets[0]) or ""

    @property
    def _given_as_json(self) -> str:
        return self._given.json

    def _said(self, secrecy: Secrecy) -> frozenset[str]:
        args, kwargs = self._given.args, self._given.kwargs
        hidden = [value for place, value in enumerate(args) if secrecy.at_place(place)]
        hidden += [value for name, value in kwargs.items() if secrecy.at_name(name)]
        return frozenset(form for value in hidden for form in said_forms(value))

    def _written(self, result: object) -> str:
        return self._kept(Kind.RESULT, result_of(self._task, result))

    @property
    def is_encrypted(self) -> bool:
        """As of JobContext."""
        return self._given.encrypted


def _opened(claim: Claim, given: list[Any] | dict[str, Any]) -> tuple[list[Any], dict[str, Any], str]:
    given = encryption.decrypted_args(given, claim.id, claim.target, lambda target: _falls_back(target, claim.target))
    beside = {}
    if isinstance(given, dict) and codec_of(given) is not None:
        beside = {name: value for name, value in given.items() if name == ENDED}
        given = opened(given)
    content: Any = given
    if isinstance(content, Mapping):
        args, kwargs = [], {**content, **beside}
    elif isinstance(content, list | tuple):
        args, kwargs = list(content), {}
    else:
        raise CodecError(f"the codec made a {type(content).__name__} of args, not a list or a mapping", "")
    try:
        return args, kwargs, encode_args(kwargs or args, math.inf)
    except ArgumentError:
        # More than JSON can say: what of it is secret cannot be told from the rest.
        return args, kwargs, claim.args


def _falls_back(target: str, here: str) -> bool:
    """Whether jobs of a target may be run by the code that is here: its fallback, or the fallback of that."""
    for _ in range(_MOST_FALLBACKS):
        task = registered(target)
        if task is None or task.terms.fallback is None:
            return False
        if (target := task.terms.fallback.to) == here:
            return True
    return False


def _unreadable(claim: Claim, error: EncryptionError) -> Outcome:
    """No worker could read it: a human is to look at it."""
    return Ended(Reason.UNREADABLE, error_report("pgqueue.EncryptionError", f"args of job {claim.id}: {error}"))


def _given_back(claim: Claim, error: CodecError | KeyringError) -> Outcome:
    """Given back to workers that may have the codec, or the key; when that goes on for long it is a failure."""
    times = claim.claim - claim.attempt
    report = error_report(f"pgqueue.{type(error).__name__}", error)
    if times > _MOST_GIVEN_BACK:
        return Failed(report, asked=True)
    delay = min(_LAST_DELAY, _FIRST_DELAY * 2.0 ** min(times, 10))
    # Written down where a key is missing: who looks at the job is to see which one.
    return Released(delay, started=not _is_of_codec(error), error=report, asked=True)


def _is_of_codec(error: CodecError | KeyringError) -> bool:
    return isinstance(error, CodecError) and not isinstance(error, EncryptionError)


def _may_be_shown(secrecy: Secrecy | None, trail: list[str | int]) -> bool:
    """Whether the value at this place may be quoted: nothing in the argument is secret, as far as anybody says."""
    if any(_BY_NAME.hides(step) for step in trail if isinstance(step, str)):
        return False
    if secrecy is None or not trail:
        return secrecy is None
    first = trail[-1]
    return not (secrecy.at_place(first) if isinstance(first, int) else secrecy.at_name(first))
