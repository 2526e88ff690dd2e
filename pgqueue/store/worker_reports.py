"""What workers say of themselves: a report a worker, as of its last heartbeat."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from pgqueue.store.direct import Rows
from pgqueue.store.statement import Statement

# Workers whose reports are read.
MOST = 5_000


class Running(NamedTuple):
    """A job that ran when its worker last told, and for how many seconds it had."""

    id: UUID
    claim: int
    seconds: float


@dataclass(frozen=True, slots=True)
class WorkerReport:
    """How a worker was `age` ago. Whatever it did not tell, as one of another release, is None or empty.

    Bytes of memory (`rss`; `children` by process), seconds of CPU, milliseconds that the claim loop had not turned for
    and that the heartbeat took, settled attempts a second; `running` names the longest of those that are `busy`;
    `can` says what else it answers: a `dump` of where its jobs are.
    """

    id: int
    at: datetime
    age: timedelta
    busy: int | None
    slots: int | None
    outbox: int | None
    settled_per_s: float | None
    rss: int | None
    cpu_s: float | None
    lag_ms: float | None
    beat_ms: float | None
    quiet: bool | None
    listening: bool | None
    executor: str | None
    release: str | None
    pgqueue: str | None
    python: str | None
    can: list[str]
    children: list[tuple[int, int]]
    running: list[Running]


def reports() -> Statement[dict[int, WorkerReport]]:
    """The reports of all workers, by their ids. Reads `worker_reports`, at most 5,000 rows of it."""
    return Statement(_REPORTS, (MOST,), _read)


_REPORTS = """
select told.id, told.at, clock_timestamp() - told.at,
       case when octet_length(told.report::text) <= 20000 then told.report::text end
from pgqueue.worker_reports as told
where told.report is not null
limit $1::int
"""


def _read(rows: Rows) -> dict[int, WorkerReport]:
    return {row[0]: _report(*row) for row in rows}


def _report(worker: int, at: datetime, age: timedelta, text: str | None) -> WorkerReport:
    told = _told(text)
    return WorkerReport(
        worker,
        at,
        age,
        busy=_of(told, "busy", int),
        slots=_of(told, "slots", int),
        outbox=_of(told, "outbox", int),
        settled_per_s=_number(told, "settled_per_s"),
        rss=_of(told, "rss", int),
        cpu_s=_number(told, "cpu_s"),
        lag_ms=_number(told, "lag_ms"),
        beat_ms=_number(told, "beat_ms"),
        quiet=_of(told, "quiet", bool),
        listening=_of(told, "listening", bool),
        executor=_of(told, "executor", str),
        release=_of(told, "release", str) or None,
        pgqueue=_of(told, "pgqueue", str),
        python=_of(told, "python", str),
        can=[each for each in _of(told, "can", list) or [] if type(each) is str],
        children=[(pid, size) for pid, size in _pairs(told.get("children"))],
        running=list(_running(told.get("running"))),
    )


def _told(text: str | None) -> dict[str, Any]:
    try:
        said = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _of(told: dict[str, Any], name: str, kind: type) -> Any:
    value = told.get(name)
    return value if type(value) is kind else None


def _number(told: dict[str, Any], name: str) -> float | None:
    value = told.get(name)
    return float(value) if isinstance(value, int | float) and abs(value) < 1e18 else None


def _pairs(said: Any) -> list[tuple[int, int]]:
    found = said if isinstance(said, list) else []
    return [(each[0], each[1]) for each in found if _is_list(each, (int, int))]


def _running(said: Any) -> list[Running]:
    found = said if isinstance(said, list) else []
    jobs = []
    for each in found:
        if isinstance(each, list) and len(each) == 3 and type(each[1]) is int and type(each[2]) in (int, float):
            try:
                jobs.append(Running(UUID(str(each[0])), each[1], float(each[2])))
            except ValueError:
                continue
    return jobs


def _is_list(said: Any, kinds: tuple[type, ...]) -> bool:
    return isinstance(said, list) and tuple(type(part) for part in said) == kinds
