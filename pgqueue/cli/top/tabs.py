"""What each tab asks the database, and the rows that it shows: a bounded question a look."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pgqueue.cli import workers as workers_command
from pgqueue.cli.numbers import number
from pgqueue.cli.output import rounded
from pgqueue.cli.spans import brief_seconds, per_minute
from pgqueue.cli.status import queues_of
from pgqueue.cli.status_page import drain_in_words
from pgqueue.cli.top import job_rows
from pgqueue.cli.top.filters import Filter
from pgqueue.cli.top.rows import MOST, NOTHING_TOLD, WIDEST_ERROR, Row, Seen, cell
from pgqueue.cli.worker_page import size_in_words
from pgqueue.store import causes, execute, rates, reports, worker_reports
from pgqueue.store.causes import Cause
from pgqueue.store.looking import LONGER, look
from pgqueue.store.queues import QueueStats
from pgqueue.store.rates import Rates

if TYPE_CHECKING:
    import psycopg


@dataclass(frozen=True, slots=True)
class Tab:
    """A table: its key, its name, the titles of its columns, and the question that fills it."""

    key: str
    name: str
    titles: tuple[str, ...]
    ask: Callable[[psycopg.Connection[Any], Filter], tuple[Sequence[Row], str]]


def seen(conn: psycopg.Connection[Any], tab: Tab, said: Filter) -> Seen:
    """One look. `conn` is in autocommit mode."""
    rows, note = tab.ask(conn, said)
    return Seen(execute(conn, reports.now()), rows, note)


def headline(conn: psycopg.Connection[Any]) -> str:
    """How the whole gets on, in one line."""
    found = look(conn, lambda conn: (execute(conn, rates.rates()), execute(conn, worker_reports.reports())), LONGER)
    if found is None:
        return NOTHING_TOLD
    speeds, told = found
    into = sum(each.in_per_min or 0 for each in speeds.values())
    out = sum(each.out_per_min or 0 for each in speeds.values())
    waits = [each.wait_p95 for each in speeds.values() if each.wait_p95 is not None]
    busy, slots = (sum(getattr(each, name) or 0 for each in told.values()) for name in ("busy", "slots"))
    wait = f" · wait p95 {brief_seconds(max(waits))}" if waits else ""
    return f"in {per_minute(into)} out {per_minute(out)}/min{wait} · {busy}/{slots} slots"


def _queues(conn: psycopg.Connection[Any], said: Filter) -> tuple[Sequence[Row], str]:
    found = look(conn, queues_of, LONGER)
    if found is None:
        return [], NOTHING_TOLD
    rows, held = found
    speeds = look(conn, lambda conn: execute(conn, rates.rates()), LONGER) or {}
    now = execute(conn, reports.now())
    wanted = [row for row in rows if said.takes_queue(row.queue)]
    note = "" if held is not None else "these are the fullest"
    return [_queue(row, speeds.get(row.queue) or Rates(row.queue), now) for row in wanted], note


def _queue(row: QueueStats, speed: Rates, now: datetime) -> Row:
    numbers = (number(row, name) for name in ("ready", "scheduled", "running", "retrying", "dead"))
    texts = [
        cell(row.queue, 24),
        *(f"{each:,}" if type(each) is int else str(each) for each in numbers),
        cell(row.oldest_ready_age),
        str(per_minute(speed.in_per_min) or "–") if speed.in_per_min is not None else "–",
        str(per_minute(speed.out_per_min)) if speed.out_per_min is not None else "–",
        brief_seconds(speed.wait_p95) or "–",
        drain_in_words(row, speed, now) or "",
    ]
    style = "yellow" if row.paused else "red" if speed.grows(row.ready) else ""
    return Row(row.queue, tuple(texts), row, style)


def _workers(conn: psycopg.Connection[Any], said: Filter) -> tuple[Sequence[Row], str]:
    notes: list[str] = []
    there = workers_command.listed(conn, tell=notes.append)
    told = execute(conn, worker_reports.reports())
    rows = []
    for row in there:
        if not said.takes_worker(row.host, row.id):
            continue
        report = told.get(row.id)
        texts = (
            str(row.id)[:6],
            cell(f"{row.host}/{row.pid}", 30),
            cell("all" if row.queues is None else row.queues, 24),
            f"{'?' if row.running is None else row.running}/{row.concurrency}",
            "alive" if row.alive else "expired",
            "–" if report is None else f"{report.settled_per_s or 0:g}",
            (size_in_words(report.rss) if report is not None else None) or "–",
            "–" if report is None else f"{rounded(report.age)} ago",
            cell(report.release if report is not None else None, 12),
            cell(row.asked),
        )
        rows.append(Row(str(row.id), texts, (row, report), "" if row.alive else "red"))
    return rows, "".join(notes)


def _causes(conn: psycopg.Connection[Any], said: Filter) -> tuple[Sequence[Row], str]:
    found = look(conn, lambda conn: execute(conn, causes.listed()), LONGER)
    if found is None:
        return [], NOTHING_TOLD
    wanted = [each for each in found if said.takes_cause(each)]
    return [_cause(each) for each in wanted[:MOST]], f"the newest {MOST}" if len(wanted) > MOST else ""


def _cause(row: Cause) -> Row:
    error = row.title or ": ".join(filter(None, (row.error_type, row.error)))
    texts = (
        row.cause[:8],
        row.state or "",
        cell(row.last_at),
        f"{row.failures:,}",
        f"> {row.dead:,}" if row.more else f"{row.dead:,}",
        cell(row.target),
        cell(error, WIDEST_ERROR),
    )
    return Row(row.cause, texts, row, "red" if row.state in ("new", "regression") else "")


TABS = (
    Tab(
        "1",
        "queues",
        ("QUEUE", "READY", "LATER", "RUN", "RETRY", "DEAD", "OLDEST", "IN/MIN", "OUT/MIN", "WAIT p95", "DRAIN"),
        _queues,
    ),
    Tab("2", "running", ("ID", "TARGET", "QUEUE", "FOR", "p95", "ATTEMPT", "WORKER"), job_rows.running),
    Tab(
        "3",
        "workers",
        ("WORKER", "HOST/PID", "QUEUES", "BUSY", "LEASE", "/S", "RSS", "BEAT", "RELEASE", "ASKED"),
        _workers,
    ),
    Tab("4", "causes", ("CAUSE", "STATE", "LAST", "FAILED", "DEAD", "TARGET", "ERROR"), _causes),
    Tab("5", "dead", ("ID", "DIED", "REASON", "QUEUE", "TARGET", "ATTEMPT", "ERROR"), job_rows.dead),
)
