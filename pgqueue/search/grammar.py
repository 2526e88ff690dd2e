"""From the text of a query to its conditions: the one parser, whoever asks."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal, InvalidOperation

from pgqueue.errors import UsageError
from pgqueue.job import JobState
from pgqueue.search.fields import FIELDS, OTHER_NAMES, Kind
from pgqueue.search.moments import moment
from pgqueue.search.query import Condition, Op, Query
from pgqueue.search.words import Word, parts, unquoted, words

_ORDERS = frozenset({Op.ABOVE, Op.BELOW, Op.AT_LEAST, Op.AT_MOST})
_SIGNS = {
    Kind.NAME: {Op.HAS, Op.IS},
    Kind.TEXT: {Op.HAS, Op.IS},
    Kind.LABEL: {Op.HAS, Op.IS},
    Kind.STATE: {Op.HAS, Op.IS},
    Kind.ID: {Op.HAS, Op.IS},
    Kind.NUMBER: {Op.HAS, Op.IS, *_ORDERS},
    Kind.ARGS: {Op.HAS, Op.IS, *_ORDERS},
    Kind.MOMENT: _ORDERS,
    Kind.SINCE: {Op.HAS},
}
MOST = 50


def parse(text: str, now: datetime) -> Query:
    """The query that a text says; durations in it count from `now`. Raises UsageError, with the nearest word known."""
    found = words(text)
    if len(found) > MOST:
        raise UsageError(f"a query has at most {MOST} words, got {len(found)}")
    return Query(text.strip(), tuple(_condition(word, now) for word in found))


def _condition(word: Word, now: datetime) -> Condition:
    field = word.names[0].lower()
    field = OTHER_NAMES.get(field, field)
    kind = FIELDS.get(field)
    if kind is None:
        raise UsageError(f"a query knows no field {field[:40]!r}{_meant(field, [*FIELDS, *OTHER_NAMES])}; {_known()}")
    path = word.names[1:]
    if path and kind not in (Kind.LABEL, Kind.ARGS):
        raise UsageError(f"{field} has nothing below it, got {word.text[:80]!r}; write {field}:VALUE")
    if not path and kind in (Kind.LABEL, Kind.ARGS):
        raise UsageError(f"say which: {field}.NAME=VALUE, got {word.text[:80]!r}")
    if kind is Kind.LABEL:
        path = (".".join(path),)
    negated = word.negated is not (word.sign == "!=")
    op = Op.IS if word.sign == "!=" else Op(word.sign)
    if op not in _SIGNS[kind]:
        raise UsageError(f"{field} takes {' '.join(sorted(_SIGNS[kind]))}, not {word.sign}, got {word.text[:80]!r}")
    values = tuple(parts(word.value)) if op is Op.HAS else (unquoted(word.value),)
    if any(not value for value in values) and not (kind in (Kind.LABEL, Kind.ARGS) and op is Op.IS):
        raise UsageError(f"a value is missing: {word.text[:80]!r}")
    return _read(Condition(field, path, op, values, negated), kind, now)


def _read(condition: Condition, kind: Kind, now: datetime) -> Condition:
    """The condition with its values as what they are. Raises UsageError."""
    match kind:
        case Kind.STATE:
            for value in condition.values:
                if value not in list(JobState):
                    states = ", ".join(JobState)
                    raise UsageError(f"no job is {value[:40]!r}{_meant(value, list(JobState))}; states are {states}")
        case Kind.ID:
            return replace(condition, values=tuple(_digits(condition.field, value) for value in condition.values))
        case Kind.NUMBER:
            numbers = [_number(condition.field, value) for value in condition.values]
            return replace(condition, number=numbers[0], values=tuple(map(str, numbers)))
        case Kind.SINCE if len(condition.values) != 1:
            raise UsageError(f"{condition.field} takes one moment, got {len(condition.values)}")
        case Kind.SINCE | Kind.MOMENT:
            return replace(condition, moment=moment(condition.values[0], now))
        case Kind.ARGS if condition.op in _ORDERS:
            return replace(condition, number=as_number(condition.values[0]))
    return condition


def _digits(field: str, value: str) -> str:
    digits = value.replace("-", "").rstrip("*…").lower()
    if not re.fullmatch(r"[0-9a-f]{1,32}", digits):
        if field == "cause":
            raise UsageError(f"a cause is 12 hexadecimal digits, or its first ones, got {value[:80]!r}")
        raise UsageError(f"a job's id is 32 hexadecimal digits with dashes, or its first ones, got {value[:80]!r}")
    return digits


def _number(field: str, value: str) -> Decimal:
    number = as_number(value)
    if number is None or number != number.to_integral_value():
        raise UsageError(f"{field} is a whole number, got {value[:80]!r}")
    return number


def as_number(text: str) -> Decimal | None:
    """The number that a text says, exactly; None if it is none."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _meant(word: str, known: Iterable[str]) -> str:
    nearest = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {nearest[0]}?" if nearest else ""


def _known() -> str:
    return f"it knows {', '.join(FIELDS)}"
