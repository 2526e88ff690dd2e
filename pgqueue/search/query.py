"""What was asked, as values: conditions of which a job must meet every one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class Op(StrEnum):
    """How a value is compared; `:` takes globs and several values, `=` one value as it is."""

    HAS = ":"
    IS = "="
    ABOVE = ">"
    BELOW = "<"
    AT_LEAST = ">="
    AT_MOST = "<="


@dataclass(frozen=True, slots=True)
class Condition:
    """One word of a query: a field, below it a path (`args.user.id`), and any of some values.

    `moment` and `number` are what the first value says, where the field is of that kind.
    """

    field: str
    path: tuple[str, ...]
    op: Op
    values: tuple[str, ...]
    negated: bool = False
    moment: datetime | None = None
    number: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """All conditions of a query, and its text as it was typed."""

    text: str
    conditions: tuple[Condition, ...]
