"""From the text of a query to its conditions: the one parser, whoever asks."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal, InvalidOperation

from pgqueue.errors import QueryError, UsageError
from pgqueue.job import JobState
from pgqueue.search.fields import FIELDS, OTHER_NAMES, Kind
from pgqueue.search.moments import moment
from pgqueue.search.query import Condition, Op, Query
from pgqueue.search.rewriting import within
from pgqueue.search.words import LONGEST_KEPT, Word, parts, unquoted, words

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
    """The query that a text says; durations in it count from `now`. Raises QueryError, with the nearest word known."""
    found = words(text)
    if len(found) > MOST:
        raise QueryError(f"a query has at most {MOST} words, got {len(found)}", found[MOST].place, len(text))
    return _read_words(text, found, now)


def parse_kept(text: str, now: datetime) -> Query:
    """The query that was kept, whole, with what was added to it. Raises QueryError."""
    return _read_words(text, words(text, LONGEST_KEPT), now)


def parse_within(queues: Sequence[str] | None, text: str, now: datetime) -> Query:
    """The query of a text among these queues alone, whatever the text says: globs, some left out by a ! before them.

    The text is read by itself, and a job must meet every word. Raises QueryError.
    """
    asked = parse(text, now)
    if queues is None:
        return asked
    among = parse_kept(within(queues, ""), now)
    return Query(within(queues, asked.text), among.conditions + asked.conditions)


def _read_words(text: str, found: Sequence[Word], now: datetime) -> Query:
    return Query(text.strip(), tuple(_placed(text, word, now) for word in found))


def _placed(text: str, word: Word, now: datetime) -> Condition:
    """The condition that a word says; what is wrong with it is said with its place. Raises QueryError."""
    try:
        return _condition(word, now)
    except UsageError as error:
        meant = getattr(error, "mended", None)
        behind = word.place + len(word.text)
        mended = None if meant is None else f"{text[: word.place]}{meant}{text[behind:]}"
        raise QueryError(str(error), word.place, len(word.text), mended) from None


def _condition(word: Word, now: datetime) -> Condition:
    field = word.names[0].lower()
    field = OTHER_NAMES.get(field, field)
    kind = FIELDS.get(field)
    if kind is None:
        nearest = _nearest(field, [*FIELDS, *OTHER_NAMES])
        raise QueryError(
            f"a query knows no field {field[:40]!r}{_meant(nearest)}; {_known()}", mended=_with(word, nearest)
        )
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
    return _read(Condition(field, path, op, values, negated), kind, now, word)


def _read(condition: Condition, kind: Kind, now: datetime, word: Word) -> Condition:
    """The condition with its values as what they are. Raises UsageError."""
    match kind:
        case Kind.STATE:
            for value in condition.values:
                if value not in list(JobState):
                    nearest = _nearest(value, list(JobState))
                    states = ", ".join(JobState)
                    raise QueryError(
                        f"no job is {value[:40]!r}{_meant(nearest)}; states are {states}",
                        mended=None if nearest is None else word.text.replace(value, nearest, 1),
                    )
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


def _nearest(word: str, known: Iterable[str]) -> str | None:
    return next(iter(difflib.get_close_matches(word, list(known), n=1)), None)


def _meant(nearest: str | None) -> str:
    return f"; did you mean {nearest}?" if nearest else ""


def _with(word: Word, field: str | None) -> str | None:
    """The word with another field in front."""
    if field is None:
        return None
    begin = 1 if word.negated else 0
    return word.text[:begin] + re.sub(r"^[^.:=<>!]+", field, word.text[begin:], count=1)


def _known() -> str:
    return f"it knows {', '.join(FIELDS)}"
