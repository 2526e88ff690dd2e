"""The rows of all tables: what each is of, and its cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pgqueue.cli.output import written
from pgqueue.printable import in_one_line

MOST = 200
# Characters of a cell; a row's page has the rest.
WIDEST, WIDEST_ERROR = 40, 100
# Of an id as many as tell the moment: what other commands take for the whole.
ID_DIGITS = 13
NOTHING_TOLD = "the database did not answer in time"


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table: what it is of, its cells, and the colour that its state has, if any."""

    key: str
    cells: tuple[str, ...]
    of: Any
    style: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look found; `note` is a word beside it. `at` is when, by the database's clock."""

    at: datetime
    rows: Sequence[Row]
    note: str = ""


def cell(value: object, widest: int = WIDEST) -> str:
    """A value in one line that steers nothing, cut to a width."""
    text = in_one_line(written(value))
    return text if len(text) <= widest else f"{text[: widest - 1]}…"


def job_id_of(row: Row) -> UUID:
    """Whose row it is, on a tab of jobs."""
    return UUID(row.key)
