"""What workers are asked to tell of their jobs, and what they have told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pgqueue.store.direct import Rows
from pgqueue.store.statement import Statement, nothing, only_value


@dataclass(frozen=True, slots=True)
class JobThere:
    """A job that a worker runs: for how many seconds, in which child, and where; or `why` that is not known."""

    job: str
    target: str
    queue: str
    attempt: int | None
    seconds: float | None
    pid: int | None
    stack: str | None
    why: str | None


@dataclass(frozen=True, slots=True)
class Dump:
    """What a worker told: its jobs, the longest first, how many it left out, and where its own threads are."""

    asked_at: datetime
    told_at: datetime
    jobs: list[JobThere]
    left_out: int
    threads: dict[str, str]


def ask(worker: int) -> Statement[datetime | None]:
    """Ask a worker where its jobs are; when that was, None if there is no such worker. O(1)."""
    return Statement("select pgqueue.ask_dump($1::bigint)", (worker,), only_value)


def asked(worker: int) -> Statement[datetime | None]:
    """Since when a worker owes an answer; None if nobody has asked. Walks worker_dumps_pkey."""
    return Statement(_ASKED, (worker,), lambda rows: rows[0][0] if rows else None)


_ASKED = "select asked_at from pgqueue.worker_dumps where worker = $1::bigint and told_at is null"


def tell(worker: int, asked_at: datetime, dump: str) -> Statement[None]:
    """A worker answers. O(1)."""
    return Statement(
        "select pgqueue.tell_dump($1::bigint, $2::timestamptz, $3::text)", (worker, asked_at, dump), nothing
    )


def answer(worker: int, asked_at: datetime) -> Statement[Dump | None]:
    """What a worker has told since it was asked; None if it has not. Walks worker_dumps_pkey."""
    return Statement(_ANSWER, (worker, asked_at), lambda rows: _read(rows[0]) if rows and rows[0][1] else None)


def latest(worker: int) -> Statement[datetime | Dump | None]:
    """What a worker has told last, or since when it owes an answer; None if nobody has asked lately."""

    def read(rows: Rows) -> datetime | Dump | None:
        if not rows:
            return None
        asked_at: datetime = rows[0][0]
        return _read(rows[0]) if rows[0][1] else asked_at

    return Statement(_ANSWER, (worker, None), read)


_ANSWER = """
select asked_at, told_at, case when octet_length(dump::text) < 2000000 then dump::text end
from pgqueue.worker_dumps
where worker = $1::bigint and ($2::timestamptz is null or asked_at >= $2::timestamptz)
"""


def _read(row: Sequence[Any]) -> Dump:
    asked_at, told_at, text = row
    try:
        said = json.loads(text or "{}")
    except (ValueError, RecursionError):
        said = {}
    told: dict[str, Any] = said if isinstance(said, dict) else {}
    jobs, threads, left_out = told.get("jobs"), told.get("threads"), told.get("left_out")
    return Dump(
        asked_at,
        told_at,
        [_job(each) for each in jobs if isinstance(each, dict)] if isinstance(jobs, list) else [],
        left_out if type(left_out) is int else 0,
        {str(name): str(where) for name, where in threads.items()} if isinstance(threads, dict) else {},
    )


def _job(said: dict[str, Any]) -> JobThere:
    def of(name: str, *kinds: type) -> Any:
        value = said.get(name)
        return value if type(value) in kinds else None

    return JobThere(
        job=of("job", str) or "",
        target=of("target", str) or "",
        queue=of("queue", str) or "",
        attempt=of("attempt", int),
        seconds=of("seconds", int, float),
        pid=of("pid", int),
        stack=of("stack", str),
        why=of("why", str),
    )
