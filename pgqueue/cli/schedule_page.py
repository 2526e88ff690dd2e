"""One schedule on one page, and what became of its ticks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

import typer

from pgqueue.answers import schedule_answer
from pgqueue.cli.output import Columns, paint, print_json, print_list, rounded, written
from pgqueue.encryption import in_words
from pgqueue.printable import as_json as printable_json
from pgqueue.printable import in_one_line
from pgqueue.store.schedules import ScheduleRow, TickRow

TICK_COLUMNS: Columns[TickRow] = {
    "SCHEDULED FOR": lambda row: row.scheduled_for,
    "ENQUEUED AT": lambda row: row.enqueued_at if row.job_id is not None else None,
    "WHY": lambda row: row.why,
    "JOB": lambda row: row.job_id,
}


def print_ticks(ticks: Sequence[TickRow], *, as_json: bool) -> None:
    """Print what became of ticks."""
    print_list(ticks, TICK_COLUMNS, as_json=as_json, empty="It has not fired yet.")


def print_schedule(row: ScheduleRow, ticks: Sequence[TickRow], *, as_json: bool) -> None:
    """Print a schedule, as it may be shown, and what became of its last ticks."""
    if as_json:
        print_json(schedule_answer(row, ticks))
        return
    for name, value in _facts(row):
        typer.echo(f"{paint(name.ljust(12), 'bold')} {in_one_line(value)}")
    if ticks:
        typer.echo("")
        print_ticks(ticks, as_json=False)


def _facts(row: ScheduleRow) -> Iterator[tuple[str, str]]:
    yield "schedule", row.name
    if row.cron is not None:
        yield "cron", f"{row.cron} in {row.timezone}"
    else:
        yield "every", rounded(timedelta(seconds=row.every or 0))
    yield "target", row.target
    yield "args", in_words(printable_json(row.args))
    yield "queue", row.queue or "default"
    missed = f"all, at most {row.cap}" if row.catch_up == "all" else row.catch_up
    yield "catch-up", f"{missed}, of those more than {rounded(timedelta(seconds=row.grace))} late"
    yield "overlap", row.overlap
    if row.jitter:
        yield "jitter", rounded(timedelta(seconds=row.jitter))
    facts = {
        "labels": None if row.labels is None else printable_json(row.labels),
        "declared by": row.source,
        "paused by": {"hand": "hand", "code": "the code, which declares it no more"}.get(row.paused_by or ""),
        "fault": row.fault,
        "next": row.next_at if row.paused_by is None else None,
        "time zones": row.tzdata if row.cron is not None else None,
    }
    for name, value in facts.items():
        if value is not None:
            yield name, written(value)
