"""The values that travel between a worker and its children, as JSON has them; what a child says is checked.

A job can speak in the name of its child. Each `..._from_child` takes nothing but what a child of ours could have said,
in shape, range and length, and raises Nonsense for the rest.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from pgqueue.context import LONGEST_EXTENSION
from pgqueue.description import MESSAGE_LIMIT, NAME_LIMIT, TRACEBACK_LIMIT
from pgqueue.errors import OptionError
from pgqueue.events import Finished, succeeded
from pgqueue.ids import uuid_of
from pgqueue.job import BatchClaim, Claim, QueueTerms, each_of
from pgqueue.job_log import LEVELS, LONGEST
from pgqueue.job_progress import LONGEST_NOTE, Progress, progress_of
from pgqueue.outcome import HUMAN, LONGEST_DELAY, Move, Reason, Settlement
from pgqueue.store.dsn import with_password
from pgqueue.tasks.modules import Modules
from pgqueue.tasks.target import fault_in
from pgqueue.worker.executors.base import Settings

# Escapes and the words about what was left out make a text longer than its limit.
_SLACK = 5
# Year 9999, in seconds since 1970.
_END_OF_TIME = 253_000_000_000.0
_NANO = 1_000_000_000
# Of nanoseconds: thirty years.
_LONGEST = 10**18
_CAUSE = re.compile(r"[0-9a-f]{12}")
# What travels beside the other fields of a settlement, as long as it may be.
BESIDE = ("result", "brings")
# The fields of a settlement behind the token.
_FIELDS = tuple(name for name in Settlement._fields[2:] if name not in BESIDE)


class Nonsense(ValueError):
    """No child of ours said that."""


def settings_to_wire(settings: Settings) -> str:
    """What a child must know; its environment has no password."""
    values = dataclasses.asdict(settings)
    for name in ("dsn", "job_dsn"):
        if values[name] and not settings.pass_dsn:
            values[name] = with_password(values[name])
    return json.dumps(values)


def settings_from_wire(text: str) -> Settings:
    """The settings that settings_to_wire() was given."""
    values = json.loads(text)
    modules = Modules(**_with_tuples(values.pop("modules")))
    return Settings(modules=modules, **_with_tuples(values))


def _with_tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if type(value) is list else value for name, value in values.items()}


def claim_to_wire(number: int, claim: Claim) -> tuple[Any, ...]:
    """A claim and its number."""
    terms = None if claim.terms is None else tuple(claim.terms)
    return (
        number,
        claim.id.int,
        *claim[1:-5],
        claim.run_at.timestamp(),
        claim.worker,
        terms,
        claim.headers,
        claim.tenant,
    )


def claim_from_wire(values: Sequence[Any]) -> tuple[int, Claim]:
    """What claim_to_wire() was given."""
    number, key, *rest = values
    rest[-5] = datetime.fromtimestamp(rest[-5], UTC)
    if rest[-3] is not None:
        rest[-3] = QueueTerms(*rest[-3])
    return number, tuple.__new__(Claim, (uuid_of(key), *rest))


def fed_to_wire(number: int, claim: Claim) -> tuple[Any, ...]:
    """A claim, or those of a batch in a list, and their number."""
    if type(claim) is Claim:
        return claim_to_wire(number, claim)
    return number, [claim_to_wire(place, each) for place, each in enumerate(each_of(claim))]


def fed_from_wire(values: Sequence[Any]) -> tuple[int, Claim]:
    """What fed_to_wire() was given."""
    if type(values[1]) is not list:
        return claim_from_wire(values)
    return values[0], BatchClaim.of([claim_from_wire(each)[1] for each in values[1]])


def settlement_to_wire(settlement: Settlement) -> list[Any] | None:
    """A settlement without its token and what travels beside it; None is a success."""
    return None if settlement.move is Move.SUCCEED else [getattr(settlement, name) for name in _FIELDS]


def seconds_to_wire(seconds: float) -> int:
    """How long an attempt took, in nanoseconds: the digits of a whole number are found at once."""
    return int(seconds * _NANO)


def elapsed_from_child(said: object) -> float:
    """The seconds that seconds_to_wire() was given. Raises Nonsense."""
    if type(said) is not int or not 0 <= said < _LONGEST:
        raise Nonsense("no nanoseconds")
    return said / _NANO


def finished_from_child(
    claim: Claim, elapsed: float, said: object, result: str | None, brings: str | None = None
) -> Finished:
    """The attempt at this claim as its child tells of it. Raises Nonsense."""
    if said is None:
        return succeeded(claim, elapsed, None, result)
    if type(said) is not list or len(said) != len(_FIELDS):
        raise Nonsense("no settlement")
    values = {name: _CHECKS[name](value) for name, value in zip(_FIELDS, said, strict=True)}
    if values["move"] is Move.BRING:
        if brings is None or "\x00" in brings:
            raise Nonsense("it brings nothing")
        values |= {"result": result, "brings": brings}
    return Finished(claim, Settlement(claim.id, claim.claim, **values), elapsed, monotonic())


def batch_from_child(
    claim: Claim, elapsed: float, items: Mapping[int, tuple[object, str | None, str | None]]
) -> list[Finished]:
    """The attempts at the claims of a batch; those that it tells nothing of have succeeded. Raises Nonsense."""
    told = ((each, items.get(place, (None, None, None))) for place, each in enumerate(each_of(claim)))
    return [finished_from_child(each, elapsed, *said) for each, said in told]


def hooks_from_child(said: object, known: Collection[str]) -> tuple[str, ...]:
    """Names of hooks. Raises Nonsense."""
    if type(said) is not list or not all(type(name) is str and name in known for name in said):
        raise Nonsense("no hooks")
    return tuple(dict.fromkeys(said))


def targets_from_child(said: object) -> frozenset[str]:
    """Names of functions. Raises Nonsense."""
    if type(said) is not list or not all(type(target) is str and fault_in(target) is None for target in said):
        raise Nonsense("no targets")
    return frozenset(said)


def text_from_child(said: object, limit: int) -> str | None:
    """A text that PostgreSQL can store, or nothing. Raises Nonsense."""
    return None if said is None else bounded_text(said, limit)


def progress_from_child(said: list[Any]) -> Progress:
    """How far a job is: done, total, and a note. Raises Nonsense."""
    match said:
        case [int() | float(), None | int() | float(), None | str()] if not any(type(each) is bool for each in said):
            try:
                checked = progress_of(said[0], said[1], text_from_child(said[2], 2 * LONGEST_NOTE))
            except OptionError:
                raise Nonsense("no progress") from None
            return checked
    raise Nonsense("no progress")


def seconds_from_child(said: object) -> float:
    """For how many more seconds a job asks. Raises Nonsense."""
    if type(said) is not float or not 0 < said <= LONGEST_EXTENSION:
        raise Nonsense("no extension")
    return said


def line_from_child(said: object) -> tuple[float, str, str]:
    """A line of a job: when, at which level, and what. Raises Nonsense."""
    match said:
        case [float(at), str(level), str()] if 0 <= at < _END_OF_TIME and level in LEVELS:
            line = bounded_text(said[2], LONGEST)
            if len(line.encode()) <= LONGEST:
                return at, level, line
    raise Nonsense("no line")


def _delay(said: object) -> float:
    if type(said) in (int, float) and 0 <= float(said) <= LONGEST_DELAY:  # type: ignore[arg-type]  # is a number
        return float(said)  # type: ignore[arg-type]  # as above
    raise Nonsense("no delay")


def _cause(said: object) -> str:
    if type(said) is not str or not _CAUSE.fullmatch(said):
        raise Nonsense("no cause")
    return said


def _flag(said: object) -> bool:
    if type(said) is not bool:
        raise Nonsense("neither true nor false")
    return said


def target_from_child(said: str) -> str:
    if said != HUMAN and fault_in(said):
        raise Nonsense("no target")
    return said


def bounded_text(said: object, limit: int) -> str:
    # What it holds must not end the statement that writes it down together with others.
    if type(said) is not str or len(said) > limit * _SLACK or "\x00" in said:
        raise Nonsense("no text, or too long")
    said.encode()
    return said


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "move": Move,
    "outcome": lambda said: bounded_text(said, NAME_LIMIT),
    "delay": _delay,
    "reason": lambda said: None if said is None else Reason(said).value,
    "error_type": lambda said: text_from_child(said, NAME_LIMIT),
    "error": lambda said: text_from_child(said, MESSAGE_LIMIT),
    "traceback": lambda said: text_from_child(said, TRACEBACK_LIMIT),
    "started": _flag,
    "avoid": _flag,
    "headers": lambda said: text_from_child(said, MESSAGE_LIMIT),
    "expected": _flag,
    "fallback": lambda said: None if said is None else target_from_child(bounded_text(said, NAME_LIMIT)),
    "cause": lambda said: None if said is None else _cause(said),
}
