"""What a job said, a page of it: the last lines, or those before a place that the address names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from psycopg import errors

from pgqueue.dashboard.database import Conn, seen
from pgqueue.dashboard.pages.page import Asked
from pgqueue.leaving_out import without
from pgqueue.record import LogLine
from pgqueue.store import execute, job_logs

MOST = 200


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines, oldest first; `before` is where the page of those before them begins, None if there are none.

    `is_latest` is whether nothing comes behind them.
    """

    shown: Sequence[LogLine]
    before: str | None
    is_latest: bool


def lines_of(conn: Conn, asked: Asked, job_id: UUID, secrets: frozenset[str] | None) -> Lines:
    """A page of lines, without the secrets of their job's arguments."""
    place = _place(asked.text("before"))
    try:
        found = seen(conn, lambda conn: execute(conn, job_logs.tail(job_id, MOST + 1, place or job_logs.LAST)))
    except (errors.UndefinedTable, errors.InsufficientPrivilege):
        # A schema before this release, or a role that it has not told of its table yet.
        return Lines((), None, is_latest=True)
    shown = found[-MOST:]
    before = f"{shown[0].claim}.{shown[0].seq}" if len(found) > MOST else None
    clean = [replace(each, line=without(asked.redaction.in_words(each.line), secrets) or "") for each in shown]
    return Lines(clean, before, is_latest=place is None)


def _place(said: str | None) -> tuple[int, int] | None:
    found = re.fullmatch(r"(\d{1,9})\.(\d{1,4})", said or "")
    return (int(found[1]), int(found[2])) if found else None
