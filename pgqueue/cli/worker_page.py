"""Workers with what they say of themselves: a table of all, or a page about one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import typer

from pgqueue.answers import worker_answer
from pgqueue.cli.job_progress import with_progress
from pgqueue.cli.numbers import number
from pgqueue.cli.output import Columns, paint, print_json, print_list, rounded, written
from pgqueue.cli.spans import brief_seconds
from pgqueue.printable import in_one_line
from pgqueue.store.worker_reports import Running, WorkerReport
from pgqueue.store.workers import WorkerRow

if TYPE_CHECKING:
    import psycopg

UNITS = (("GB", 2**30), ("MB", 2**20), ("KB", 2**10))


@dataclass(frozen=True, slots=True)
class _Line:
    row: WorkerRow
    told: WorkerReport | None


COLUMNS: Columns[_Line] = {
    "WORKER": lambda line: line.row.id,
    "HOST": lambda line: line.row.host,
    "PID": lambda line: line.row.pid,
    "BUSY": lambda line: _busy(line),
    "AHEAD": lambda line: number(line.row, "ahead") or None,
    "/S": lambda line: line.told and line.told.settled_per_s,
    "RSS": lambda line: None if line.told is None else size_in_words(_rss(line.told)),
    "LEASE": lambda line: "alive" if line.row.alive else "expired",
    "BEAT": lambda line: line.told and f"{rounded(line.told.age)} ago",
    "LAG": lambda line: line.told and brief_seconds((line.told.lag_ms or 0) / 1000),
    "LISTENS": lambda line: line.told and line.told.listening,
    "RELEASE": lambda line: line.told and line.told.release,
    "PGQUEUE": lambda line: line.told and line.told.pgqueue,
    "PYTHON": lambda line: line.told and line.told.python,
    "ASKED": lambda line: line.row.asked,
}
RUNNING_COLUMNS: Columns[Running] = {
    "JOB": lambda job: job.id,
    "CLAIM": lambda job: job.claim,
    "FOR": lambda job: timedelta(seconds=job.seconds),
}


def print_verbose(rows: Sequence[WorkerRow], told: Mapping[int, WorkerReport], *, as_json: bool, empty: str) -> None:
    """Print all of them; what is drifting shows beside the others."""
    if as_json:
        print_json([worker_answer(row, told.get(row.id)) for row in rows])
        return
    print_list([_Line(row, told.get(row.id)) for row in rows], COLUMNS, as_json=False, empty=empty)
    releases = [told[row.id].release for row in rows if row.id in told]
    if len(set(releases)) > 1:
        counts = sorted(((releases.count(each), each or "unnamed") for each in set(releases)), reverse=True)
        parts = ", ".join(f"{many} of {len(releases)} run {in_one_line(name, 60)}" for many, name in counts)
        typer.echo(f"\nThe workers differ: {parts}.")


def print_worker(conn: psycopg.Connection[Any], row: WorkerRow, told: WorkerReport | None, *, as_json: bool) -> None:
    """Print one of them, with the jobs that it ran when it last told, and how far those are."""
    if as_json:
        print_json(worker_answer(row, told))
        return
    for name, value in worker_facts(row, told):
        if value is not None and value != "":
            typer.echo(f"{paint(name.ljust(12), 'bold')} {in_one_line(written(value), 500)}")
    if told is not None and told.running:
        typer.echo("")
        columns = with_progress(conn, RUNNING_COLUMNS, [job.id for job in told.running], lambda job: job.id)
        print_list(told.running, columns, as_json=False, empty="")


def size_in_words(size: int | None) -> str | None:
    """Bytes in their largest fitting unit."""
    if size is None:
        return None
    for unit, of in UNITS:
        if size >= of:
            return f"{size / of:.3g} {unit}"
    return f"{size} B"


def worker_facts(row: WorkerRow, told: WorkerReport | None) -> Iterator[tuple[str, object]]:
    """What is known of a worker, by name."""
    yield "worker", row.id
    yield "host", f"{row.host}, pid {row.pid}"
    yield "queues", "all" if row.queues is None else row.queues
    yield "executor", f"{row.executor}, {row.concurrency} slots"
    yield "started", row.started_at
    yield "lease", f"{'alive' if row.alive else 'expired'}, until {written(row.expires_at)}"
    yield "asked", row.asked
    yield "holds", None if row.running is None else f"{row.running} running, {row.ahead or 0} ahead"
    if told is None:
        yield "says", "nothing yet"
        return
    yield "last beat", f"{rounded(told.age)} ago, answered in {brief_seconds((told.beat_ms or 0) / 1000)}"
    yield "busy", None if told.busy is None else f"{told.busy} of {told.slots} slots"
    yield "settles", None if told.settled_per_s is None else f"{told.settled_per_s:g} attempts a second"
    yield "outbox", told.outbox or None
    yield "memory", size_in_words(told.rss)
    yield "children", ", ".join(f"{pid}: {size_in_words(size)}" for pid, size in told.children)
    yield "cpu", None if told.cpu_s is None else f"{told.cpu_s:g} s"
    yield "claim loop", f"has not turned for {told.lag_ms:g} ms" if told.lag_ms else None
    yield "listens", None if told.listening is None else ("yes" if told.listening else "no: it polls")
    yield "quiet", "yes" if told.quiet else None
    yield "release", told.release
    yield "pgqueue", told.pgqueue
    yield "python", told.python


def _busy(line: _Line) -> str | None:
    if line.told is not None and line.told.busy is not None:
        return f"{line.told.busy}/{line.row.concurrency}"
    return None if line.row.running is None else f"{line.row.running}/{line.row.concurrency}"


def _rss(told: WorkerReport) -> int | None:
    return None if told.rss is None else told.rss + sum(size for _, size in told.children)
