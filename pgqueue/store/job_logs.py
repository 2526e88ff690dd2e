"""Lines that tasks said: kept with their attempts, read in the order in which they were said."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

from pgqueue.job_log import Said
from pgqueue.record import LogLine
from pgqueue.store.direct import Rows
from pgqueue.store.statement import Statement, only_value, query

# In front of the first line of a job, and behind the last.
FIRST, LAST = (0, 0), (2**31 - 1, 0)


def keep(lines: Iterable[Said]) -> Statement[int]:
    """Write lines down, at most 5,000; answers how many were new. Never looks at `jobs`; O(lines log n)."""
    rows = [
        {
            "job": str(said.job_id),
            "claim": said.claim,
            "attempt": said.attempt,
            "seq": said.seq,
            "at": datetime.fromtimestamp(said.at, UTC).isoformat(),
            "level": said.level,
            "line": said.line,
        }
        for said in lines
    ]
    return Statement("select pgqueue.keep_lines($1::json)", (json.dumps(rows, separators=(",", ":")),), only_value)


def said_by(
    job_id: UUID, attempt: int | None, level: str | None, most: int, after: tuple[int, int] = FIRST
) -> Statement[list[LogLine]]:
    """The first lines of a job behind a claim and number, oldest first. Walks job_logs_pkey."""
    return Statement(_SAID, (job_id, attempt, level, most, *after), _read)


_SAID = """
select claim, attempt, seq, at, level, line
from pgqueue.job_log(
  $1::pg_catalog.uuid, $2::pg_catalog.int4, $3::pg_catalog.text, $4::pg_catalog.int4, $5::pg_catalog.int4,
  $6::pg_catalog.int4)
"""


def tail(
    job_id: UUID,
    most: int,
    before: tuple[int, int] = LAST,
    attempt: int | None = None,
    level: str | None = None,
) -> Statement[list[LogLine]]:
    """The last lines of a job before a claim and number, oldest first. Walks job_logs_pkey backwards."""
    return Statement(query("log_tail"), (job_id, *before, most, attempt, level), lambda rows: _read(rows)[::-1])


def _read(rows: Rows) -> list[LogLine]:
    return [LogLine(*row) for row in rows]
