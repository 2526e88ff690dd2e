"""The arguments of a claim as its function takes them: opened where a codec wrote them, and of the annotated types.

Few tasks ask for either; for the jobs of others nothing here is called.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from pgqueue.arguments.mismatch import Mismatch, said
from pgqueue.arguments.said_forms import said_forms
from pgqueue.codec import encode, encode_args
from pgqueue.context import JobContext, Spawner
from pgqueue.errors import ArgumentError, CodecError
from pgqueue.job import Claim
from pgqueue.leaving_out import without
from pgqueue.outcome import Ended, Failed, Outcome, Reason, Released, error_report
from pgqueue.redaction import Redaction, secrets_of
from pgqueue.sealed import ENDED, codec_of
from pgqueue.sealing import has_codec, opened, sealed
from pgqueue.secrecy import Secrecy
from pgqueue.tasks import Task

# A job whose codec is not here is given back, for so many seconds at first, at most so many, and so often.
_FIRST_DELAY, _LAST_DELAY, _MOST_GIVEN_BACK = 2.0, 300.0, 25
_BY_NAME = Redaction()


class Taken(NamedTuple):
    """Arguments as the function takes them, and `raw` as they were before their annotations were asked.

    `json` is their text: of what was sealed, if JSON can say it.
    """

    args: list[Any]
    kwargs: dict[str, Any]
    raw: list[Any] | dict[str, Any]
    json: str


def taken(claim: Claim, task: Task[..., Any], args: list[Any], kwargs: dict[str, Any]) -> Taken | Outcome:
    """What the function is called with; else the outcome: a job is never lost for want of a codec."""
    text = claim.args
    try:
        if task.bounds.codec is not None and not has_codec(task.bounds.codec):
            raise CodecError(f"the codec {task.bounds.codec!r} of its task is not registered here", task.bounds.codec)
        if codec_of(kwargs) is not None:
            args, kwargs, text = _opened(claim, kwargs)
        raw = args or kwargs
        if (convert := task.calling.conversion) is not None:
            args, kwargs = convert(args, kwargs)
    except CodecError as error:
        return _given_back(claim, error)
    except (Mismatch, RecursionError) as error:
        shown = isinstance(error, Mismatch) and _may_be_shown(task.secrecy, error.trail)
        return Ended(Reason.UNBINDABLE, error_report("Unbindable", said(error, "args", shown=shown)))
    return Taken(args, kwargs, raw, text)


def result_of(task: Task[..., Any], value: object) -> str:
    """What a task returned as it is stored. Raises ArgumentError, and what its codec raises."""
    name = task.bounds.codec
    return encode(value if name is None else sealed(name, value, "result"), "result")


class OwnContext(JobContext):
    """The context of a job whose arguments are not as JSON has them, or whose result is written by a codec."""

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
        return result_of(self._task, result)


def _opened(claim: Claim, kwargs: dict[str, Any]) -> tuple[list[Any], dict[str, Any], str]:
    beside = {name: value for name, value in kwargs.items() if name == ENDED}
    content = opened(kwargs)
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


def _given_back(claim: Claim, error: CodecError) -> Outcome:
    """Given back to workers that may have the codec, or its key; when that goes on for long it is a failure."""
    times = claim.claim - claim.attempt
    report = error_report("pgqueue.CodecError", error)
    if times > _MOST_GIVEN_BACK:
        return Failed(report, asked=True)
    delay = min(_LAST_DELAY, _FIRST_DELAY * 2.0 ** min(times, 10))
    return Released(delay, started=False, error=report, asked=True)


def _may_be_shown(secrecy: Secrecy | None, trail: list[str | int]) -> bool:
    """Whether the value at this place may be quoted: nothing in the argument is secret, as far as anybody says."""
    if any(_BY_NAME.hides(step) for step in trail if isinstance(step, str)):
        return False
    if secrecy is None or not trail:
        return secrecy is None
    first = trail[-1]
    return not (secrecy.at_place(first) if isinstance(first, int) else secrecy.at_name(first))
