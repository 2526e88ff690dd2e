"""Erasure: a batch at a time, whatever is about somebody goes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from pgqueue.store.statement import Statement, only_value

# In the order in which they are looked through: what makes jobs first, then what finds its job by their number, then
# jobs, as they move: those that end meanwhile are met in the history, which comes last.
PLACES = (
    "schedules",
    "effects",
    "unique_windows",
    "workflows",
    "revisions",
    "signals",
    "results",
    "waiting",
    "dead_jobs",
    "jobs",
    "attempts",
)


class Sought(NamedTuple):
    """Whom to erase: labels of jobs, and values among their arguments by path; one of them is enough."""

    labels: Mapping[str, str]
    args: Sequence[tuple[Sequence[str], str]]

    def said(self) -> str:
        """As is_sought.sql reads it."""
        args = [{"path": list(path), "value": value} for path, value in self.args]
        return json.dumps({"labels": dict(self.labels), "args": args})


class Erased(NamedTuple):
    """What a batch has removed, rows by table; jobs that run and stay; where the next begins, None at the end."""

    removed: Mapping[str, int]
    running: list[UUID]
    last: str | None


def erase_behind(place: str, after: str | None, limit: int, sought: Sought, *, once: bool) -> Statement[Erased]:
    """Erase among the next `limit` rows of a table behind `after`. O(limit log n)."""
    return Statement(_ERASE, (place, after, limit, sought.said(), once), lambda rows: _read(rows[0]))


def elsewhere(sought: Sought) -> Statement[dict[str, int]]:
    """Where else whom is sought is named, and is left: rows by table. Reads 100,000 lines of the audit at most."""
    return Statement("select pgqueue.named_elsewhere($1::pg_catalog.jsonb)::pg_catalog.text", (sought.said(),), _counts)


_ERASE = """
select done.removed::pg_catalog.text, done.running, done.last::pg_catalog.text
from pgqueue.erase_behind(
  $1::pg_catalog.text, $2::pg_catalog.json, $3::pg_catalog.int4, $4::pg_catalog.jsonb, $5::boolean) as done
"""


def _read(row: Sequence[Any]) -> Erased:
    removed, running, last = row
    return Erased(json.loads(removed), list(running), last)


def _counts(rows: Sequence[Sequence[Any]]) -> dict[str, int]:
    found: dict[str, int] = json.loads(only_value(rows))
    return found
