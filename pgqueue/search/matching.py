"""Whether a job is one that a query asks for: what decides, whatever a statement has left out before."""

from __future__ import annotations

import json
import operator
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from pgqueue.globs import matches
from pgqueue.search.candidate import Candidate
from pgqueue.search.grammar import as_number
from pgqueue.search.query import Condition, Op, Query

Test = Callable[[Candidate], bool]
_COMPARE: dict[Op, Callable[[Any, Any], bool]] = {
    Op.ABOVE: operator.gt,
    Op.BELOW: operator.lt,
    Op.AT_LEAST: operator.ge,
    Op.AT_MOST: operator.le,
    Op.IS: operator.eq,
}
_MISSING = object()


class Matcher:
    """Holds jobs against a query. `unread` counts those whose arguments or labels could not be looked into."""

    def __init__(self, query: Query) -> None:
        self._inside = [condition for condition in query.conditions if condition.field in ("args", "label")]
        self._tests = [_test(condition) for condition in query.conditions if condition not in self._inside]
        self.unread = 0

    def matches(self, candidate: Candidate) -> bool:
        """Whether the job meets every condition."""
        if not all(test(candidate) for test in self._tests):
            return False
        return not self._inside or self._matches_inside(candidate)

    def _matches_inside(self, candidate: Candidate) -> bool:
        if candidate.large:
            self.unread += 1
            return False
        values: dict[str, Any] = {}
        for condition in self._inside:
            if condition.field not in values:
                try:
                    values[condition.field] = _load(candidate.args if condition.field == "args" else candidate.labels)
                except (ValueError, RecursionError):
                    self.unread += 1
                    return False
            value = _below(values[condition.field], condition.path)
            if _holds(condition, value) is condition.negated:
                return False
        return True


def id_floor(moment: datetime) -> UUID:
    """The smallest id of a moment, as uuid7_floor.sql has it."""
    milliseconds = max(0, min(int(moment.timestamp() * 1000), 2**48 - 1))
    return UUID(int=milliseconds << 80 | 0x7 << 76 | 0x2 << 62)


def _test(condition: Condition) -> Test:
    test = _plain(condition)
    return (lambda candidate: not test(candidate)) if condition.negated else test


def _plain(condition: Condition) -> Test:
    values = condition.values
    match condition.field:
        case "id":
            return lambda candidate: candidate.id.hex.startswith(values)
        case "cause":
            return lambda candidate: candidate.cause is not None and candidate.cause.startswith(values)
        case "state":
            return lambda candidate: candidate.state in values
        case "since" | "before":
            assert condition.moment is not None
            floor = id_floor(condition.moment)
            since = condition.field == "since"
            return lambda candidate: (candidate.id >= floor) is since
        case "due" | "started" | "ended":
            return _moment_test(condition)
        case "attempt" | "priority":
            return _number_test(condition)
        case "error":
            return _error_test(condition)
        case "worker":
            return lambda candidate: any(
                each is not None and is_named(condition, each)
                for each in (candidate.host, None if candidate.worker is None else str(candidate.worker))
            )
    text_of = _TEXTS[condition.field]
    return lambda candidate: (text := text_of(candidate)) is not None and is_named(condition, text)


_TEXTS: dict[str, Callable[[Candidate], str | None]] = {
    "queue": lambda candidate: candidate.queue,
    "task": lambda candidate: candidate.target,
    "key": lambda candidate: candidate.unique_key,
    "limit": lambda candidate: candidate.limit_key,
    "reason": lambda candidate: candidate.reason,
    "type": lambda candidate: candidate.error_type,
}


def is_named(condition: Condition, text: str) -> bool:
    """Whether one of the condition's values means this text, negated or not."""
    if condition.op is Op.IS:
        return text == condition.values[0]
    if condition.field == "task":
        # `send_*` is any module's.
        names = (text, text.rpartition(":")[2])
        return any(matches(value, name) for value in condition.values for name in names)
    return any(matches(value, text) for value in condition.values)


def _moment_test(condition: Condition) -> Test:
    attribute = {"due": "run_at", "started": "started_at", "ended": "finished_at"}[condition.field]
    compare, moment = _COMPARE[condition.op], condition.moment
    return lambda candidate: (at := getattr(candidate, attribute)) is not None and compare(at, moment)


def _number_test(condition: Condition) -> Test:
    field = condition.field
    if condition.op in (Op.HAS, Op.IS):
        return lambda candidate: str(getattr(candidate, field)) in condition.values
    compare, number = _COMPARE[condition.op], condition.number
    return lambda candidate: (value := getattr(candidate, field)) is not None and compare(value, number)


def _error_test(condition: Condition) -> Test:
    if condition.op is Op.IS:
        return lambda candidate: condition.values[0] in (candidate.error, f"{candidate.error_type}: {candidate.error}")
    needles = [value.lower() for value in condition.values]

    def test(candidate: Candidate) -> bool:
        text = f"{candidate.error_type or ''}: {candidate.error or ''}".lower()
        return any(needle in text for needle in needles)

    return test


def _load(text: str | None) -> Any:
    if text is None:
        return None
    return json.loads(text, parse_int=Decimal, parse_float=Decimal, parse_constant=str)


def _below(value: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        if isinstance(value, dict):
            value = value.get(name, _MISSING)
        elif isinstance(value, list) and name.isascii() and name.isdigit() and len(name) < 9:
            value = value[int(name)] if int(name) < len(value) else _MISSING
        else:
            return _MISSING
    return value


def _holds(condition: Condition, value: Any) -> bool:
    """Whether a value of arguments or labels meets a condition, negated or not."""
    if value is _MISSING:
        return False
    if condition.op not in (Op.HAS, Op.IS):
        compare = _COMPARE[condition.op]
        if isinstance(value, Decimal):
            return condition.number is not None and compare(value, condition.number)
        return isinstance(value, str) and compare(value, condition.values[0])
    return any(_is_value(condition, value, wanted) for wanted in condition.values)


def _is_value(condition: Condition, value: Any, wanted: str) -> bool:
    if condition.op is Op.HAS and wanted == "*":
        return True
    match value:
        case str():
            return value == wanted if condition.op is Op.IS else matches(wanted, value)
        case Decimal():
            return as_number(wanted) == value
        case bool() | None:
            return wanted == {True: "true", False: "false", None: "null"}[value]
    try:
        return bool(_load(wanted) == value)
    except (ValueError, RecursionError):
        return False
