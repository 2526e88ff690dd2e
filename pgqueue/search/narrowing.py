"""What of a query a statement can see to: which jobs it need not answer. What it lets pass is judged in matching.py."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from pgqueue.globs import is_glob
from pgqueue.job import JobState
from pgqueue.search.matching import id_floor, is_named
from pgqueue.search.query import Condition, Op, Query

LOWEST, HIGHEST = UUID(int=0), UUID(int=2**128 - 1)
_DIGITS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """Jobs in one of `states` with ids from `first` to `last`, and what else is said of all of them; None: nothing.

    `queues` are names, patterns are of LIKE, those in `not_queue_patterns` mean no job; `ids` are whole ones, `needles`
    in lower case: one of them stands in the error; `arguments` are paths with the texts that stand there. The rest is
    whether a query speaks of what costs something to read.
    """

    states: frozenset[JobState]
    first: UUID
    last: UUID
    queues: tuple[str, ...] | None
    queue_patterns: tuple[str, ...] | None
    not_queue_patterns: tuple[str, ...] | None
    ids: tuple[UUID, ...] | None
    target_patterns: tuple[str, ...] | None
    key: str | None
    causes: tuple[str, ...] | None
    needles: tuple[str, ...] | None
    arguments: tuple[tuple[tuple[str, ...], str], ...]
    args: bool
    labels: bool
    error: bool
    host: bool


def narrowed(query: Query) -> Narrowing:
    """What is known of every job that a query asks for."""
    positive = [condition for condition in query.conditions if not condition.negated]
    fields = {condition.field for condition in query.conditions}
    first, last = _ids(query.conditions)
    queues = _queues(query.conditions)
    return Narrowing(
        states=_states(query.conditions),
        first=first,
        last=last,
        queues=queues,
        queue_patterns=_patterns("queue", positive) if queues is None else tuple(_like(name) for name in queues),
        not_queue_patterns=_not_queues(query.conditions),
        ids=_whole_ids(positive),
        target_patterns=_patterns("task", positive),
        key=next(iter(_names("key", positive) or ()), None) if len(_names("key", positive) or ()) == 1 else None,
        causes=next((each.values for each in positive if each.field == "cause"), None),
        needles=next((_lower(each.values) for each in positive if each.field == "error"), None),
        arguments=tuple((each.path, each.values[0]) for each in positive if _is_plain_argument(each)),
        args="args" in fields,
        labels="label" in fields,
        error=bool(fields & {"error", "type", "cause"}),
        host="worker" in fields,
    )


def _states(conditions: Iterable[Condition]) -> frozenset[JobState]:
    states = frozenset(JobState)
    for condition in conditions:
        if condition.field == "state":
            said = frozenset(JobState(value) for value in condition.values)
            states = states - said if condition.negated else states & said
    return states


def _ids(conditions: Iterable[Condition]) -> tuple[UUID, UUID]:
    first, last = LOWEST, HIGHEST
    for condition in conditions:
        if condition.field == "id" and not condition.negated:
            first = max(first, min(UUID(digits.ljust(_DIGITS, "0")) for digits in condition.values))
            last = min(last, max(UUID(digits.ljust(_DIGITS, "f")) for digits in condition.values))
        elif condition.moment is not None and condition.field in ("since", "before"):
            floor = id_floor(condition.moment)
            if (condition.field == "since") is not condition.negated:
                first = max(first, floor)
            else:
                last = min(last, UUID(int=max(0, floor.int - 1)))
    return first, last


def _whole_ids(conditions: Iterable[Condition]) -> tuple[UUID, ...] | None:
    """The ids of which the job must have one; None if no condition says that."""
    for condition in conditions:
        if condition.field == "id" and all(len(digits) == _DIGITS for digits in condition.values):
            return tuple(UUID(digits) for digits in dict.fromkeys(condition.values))
    return None


def _queues(conditions: Iterable[Condition]) -> tuple[str, ...] | None:
    """The queues of which the job must be in one, less those that another word rules out; None if no word says that."""
    said = [condition for condition in conditions if condition.field == "queue"]
    names = _names("queue", [condition for condition in said if not condition.negated])
    if names is None:
        return None
    return tuple(name for name in names if all(is_named(each, name) is not each.negated for each in said))


def _not_queues(conditions: Iterable[Condition]) -> tuple[str, ...] | None:
    """Patterns of queues in none of which the job may be."""
    negated = [condition for condition in conditions if condition.field == "queue" and condition.negated]
    patterns = [_like(value, exact=each.op is Op.IS) for each in negated for value in each.values]
    return tuple(patterns) or None


def _names(field: str, conditions: Iterable[Condition]) -> tuple[str, ...] | None:
    """The names of which the job must have one; None if no condition says that."""
    for condition in conditions:
        if condition.field == field and (condition.op is Op.IS or not any(map(is_glob, condition.values))):
            return tuple(dict.fromkeys(condition.values))
    return None


def _patterns(field: str, conditions: Iterable[Condition]) -> tuple[str, ...] | None:
    for condition in conditions:
        if condition.field == field:
            exact = condition.op is Op.IS
            patterns = [_like(value, exact=exact) for value in condition.values]
            if field == "task" and not exact:
                patterns += [f"%:{pattern}" for pattern in patterns]
            return tuple(patterns)
    return None


def _like(value: str, *, exact: bool = True) -> str:
    letters = {"\\": "\\\\", "%": "\\%", "_": "\\_"} | ({} if exact else {"*": "%", "?": "_"})
    return "".join(letters.get(letter, letter) for letter in value)


def _is_plain_argument(condition: Condition) -> bool:
    """Whether it says that an argument is this text, number or truth, and no list, object or null."""
    if condition.field != "args" or condition.op not in (Op.IS, Op.HAS) or len(condition.values) != 1:
        return False
    value = condition.values[0]
    is_one = condition.op is Op.IS or not is_glob(value)
    return is_one and value not in ("", "null") and value[0] not in "[{"


def _lower(values: Iterable[str]) -> tuple[str, ...] | None:
    """The needles, if the database has them in the same case: it may know letters of other scripts otherwise."""
    needles = tuple(value.lower() for value in values)
    return needles if all(needle.isascii() for needle in needles) else None
