"""What `pgqueue status` prints: a headline, a row a queue as wide as the terminal allows, new causes, the workers."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta

import typer

from pgqueue.alerting.wording import title_of
from pgqueue.answers import queue_answer
from pgqueue.cli import queues as queues_command
from pgqueue.cli import workers as workers_command
from pgqueue.cli.errors import say
from pgqueue.cli.numbers import number
from pgqueue.cli.output import Columns, console, paint, print_json, print_list, rounded
from pgqueue.cli.spans import brief_seconds, per_minute
from pgqueue.cli.widths import fitting
from pgqueue.printable import in_one_line
from pgqueue.store.alerts import Alert
from pgqueue.store.causes import NewCause
from pgqueue.store.manual import MOST_COUNTED, Waiting
from pgqueue.store.queues import QueueStats
from pgqueue.store.rates import Rates
from pgqueue.store.reports import Estimates
from pgqueue.store.workers import WorkerRow
from pgqueue.store.workflow_reading import MOST_LISTED

# ANSI: to the upper left corner, and erase what is there.
CLEAR = "\x1b[H\x1b[2J"
# Lines that fit on a screen.
FULLEST = 40
MOST_UNKNOWN = 10_000
MOST_ALERTS = 5
# Characters of a bar, and what they stand for.
BAR = 10
SIGNS = {"ready": "▇", "later": "▒", "running": "▞", "retrying": "░", "dead": "!"}
LEGEND = "▇ ready ▒ later ▞ run ░ retry ! dead"
# Columns that a narrow terminal is spared, the first first.
SPARED = ("RETRY", "LATER", "AHEAD", "RUN p50/p95", "WAIT p50/p95", "BAR")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What there is; `queues` is None and `estimates` is said where the jobs could not be looked at in time.

    `all_queues` is whether these are all the queues, and not only the fullest; `rates` how each of them got on lately;
    `unknown` is how many jobs wait for a worker that knows their target, counted up to MOST_UNKNOWN, or None as well;
    `manual` how many wait for a human, and since when; `workflows_failed` how many have, of 1,000 with dead jobs.
    """

    database: str
    host: str
    at: datetime
    postgresql: str
    revision: str | None
    queues: list[QueueStats] | None
    all_queues: bool
    rates: Mapping[str, Rates]
    estimates: Estimates | None
    workers: list[WorkerRow]
    unknown: int | None
    manual: Waiting | None
    workflows_failed: int | None
    new_causes: list[NewCause]
    alerts: list[Alert]

    def rates_of(self, queue: str) -> Rates:
        """How a queue got on; of one that nothing is known of, that."""
        return self.rates.get(queue) or Rates(queue)


@dataclass(frozen=True, slots=True)
class _Line:
    """A queue and how it gets on."""

    stats: QueueStats
    rates: Rates
    at: datetime


def print_status(found: Snapshot, *, as_json: bool, wide: bool, again: bool) -> None:
    """Print it for people, or whole as JSON."""
    if as_json:
        print_json(as_values(found))
        return
    if again and sys.stdout.isatty():
        typer.echo(CLEAR, nl=False)
    shown = console()
    room = shown.width if shown.is_terminal and not wide else None
    typer.echo(f"{_headline(found, room)}\n")
    if found.queues is not None:
        lines = [_Line(row, found.rates_of(row.queue), found.at) for row in found.queues]
        columns = fitting(_columns(lines), lines, SPARED, room)
        print_list(lines, columns, as_json=False, empty="No queue has a job.", wide=wide)
        if "BAR" in columns and lines and shown.is_terminal:
            typer.echo(paint(LEGEND, "dim"))
        if not found.all_queues:
            typer.echo("These are the fullest; for all: `pgqueue queues list`.")
    elif found.estimates is not None:
        _print_estimates(found.estimates)
    _print_causes(found.new_causes)
    _print_alerts(found.alerts)
    if found.manual is not None and found.manual.oldest is not None:
        _print_manual(found.manual, found.at - found.manual.oldest)
    if found.workflows_failed:
        _print_workflows(found.workflows_failed)
    if found.unknown:
        many = f"{found.unknown:,}" if found.unknown < MOST_UNKNOWN else f"{MOST_UNKNOWN:,} or more"
        typer.echo(f"{many} of the scheduled ones wait for a worker that knows their task; `pgqueue jobs show` tells.")
    typer.echo("")
    print_list(found.workers, workers_command.COLUMNS, as_json=False, empty="No worker runs: `pgqueue worker -A ...`.")


def as_values(found: Snapshot) -> dict[str, object]:
    """The snapshot as JSON has it: what is known of a queue's rates stands beside its numbers."""
    values: dict[str, object] = {each.name: getattr(found, each.name) for each in fields(found) if each.name != "rates"}
    if found.queues is not None:
        values["queues"] = [queue_answer(row, found.rates.get(row.queue)) for row in found.queues]
    return values


def _headline(found: Snapshot, room: int | None) -> str:
    alive = [worker for worker in found.workers if worker.alive]
    many = f"{len(alive)} worker{'s' * (len(alive) != 1)}"
    if alive:
        busy = [worker.running for worker in alive]
        of = f"of {sum(worker.concurrency for worker in alive):,} slots busy"
        many += f", {'?' if None in busy else sum(filter(None, busy))} {of}"
    where = found.database if not found.host or found.host.startswith("/") else f"{found.database}@{found.host}"
    place = f"pgqueue on {where} · PostgreSQL {found.postgresql} · schema {found.revision}"
    moment = f"{many} · data of {found.at.astimezone():%H:%M:%S}"
    one = in_one_line(f"{place} · {moment}")
    return one if room is None or len(one) <= room else f"{in_one_line(place)}\n{in_one_line(moment)}"


def _columns(lines: Sequence[_Line]) -> Columns[_Line]:
    most = max((_total(line.stats) for line in lines), default=0)
    return {
        "QUEUE": lambda line: line.stats.queue,
        "BAR": lambda line: _bar(line.stats, most),
        "READY": lambda line: number(line.stats, "ready"),
        "LATER": lambda line: number(line.stats, "scheduled"),
        "RUN": lambda line: number(line.stats, "running"),
        "AHEAD": lambda line: number(line.stats, "ahead") or None,
        "RETRY": lambda line: number(line.stats, "retrying"),
        "DEAD": lambda line: number(line.stats, "dead"),
        "OLDEST": lambda line: line.stats.oldest_ready_age,
        "IN/MIN": lambda line: per_minute(line.rates.in_per_min),
        "OUT/MIN": lambda line: per_minute(line.rates.out_per_min),
        "WAIT p50/p95": lambda line: _pair(line.rates.wait_p50, line.rates.wait_p95),
        "RUN p50/p95": lambda line: _pair(line.rates.run_p50, line.rates.run_p95),
        "DRAIN": lambda line: drain_in_words(line.stats, line.rates, line.at),
        "": lambda line: queues_command.settings_in_words(line.stats) or None,
    }


def _pair(half: float | None, most: float | None) -> str | None:
    return None if half is None or most is None else f"{brief_seconds(half)}/{brief_seconds(most)}"


def drain_in_words(row: QueueStats, rates: Rates, at: datetime) -> str | None:
    """When a queue will be empty, if all goes on so; None if nothing waits."""
    if row.paused:
        until = row.paused_until
        return "paused" if until is None else f"paused, {rounded(max(until - at, timedelta(0)))} left"
    if not row.ready:
        return None
    if (left := rates.drain(row.ready)) is not None:
        return f"≈ {rounded(left)}"
    growing = " ▲ growing" if rates.grows(row.ready) else ""
    return f"never{growing}" if rates.never_drains(row.ready) else "–"


def _total(row: QueueStats) -> int:
    return row.ready + row.scheduled + row.running + row.ahead + row.retrying + row.dead


def _bar(row: QueueStats, most: int) -> str | None:
    """The jobs of a queue by state, as long as there are many beside the fullest; what there is shows."""
    parts = {
        "ready": row.ready,
        "later": row.scheduled,
        "running": row.running + row.ahead,
        "retrying": row.retrying,
        "dead": row.dead,
    }
    there = {name: jobs for name, jobs in parts.items() if jobs}
    if not there:
        return None
    length = max(len(there), round(BAR * sum(there.values()) / max(1, most)))
    marks = {name: 1 + round((length - len(there)) * jobs / sum(there.values())) for name, jobs in there.items()}
    return "".join(SIGNS[name] * marks[name] for name in there)[:BAR]


def _print_causes(new: Sequence[NewCause]) -> None:
    for each in new:
        what = "new cause" if each.state == "new" else "a cause has come back"
        text = f"! {what}: {each.cause} {each.error_type or 'failure'} in {each.target} ({each.failures:,})"
        typer.echo(f"{paint(in_one_line(text, 160), 'red')}   pgqueue causes show {each.cause}")


def _print_alerts(found: Sequence[Alert]) -> None:
    for each in found[:MOST_ALERTS]:
        text = f"! {title_of(each.kind, each.object, each.n, each.found)}"
        typer.echo(
            f"{paint(in_one_line(text, 160), 'red')}   pgqueue alerts show {in_one_line(shlex.quote(each.key), 80)}"
        )
    if len(found) > MOST_ALERTS:
        typer.echo(f"! and {len(found) - MOST_ALERTS:,} more alerts   pgqueue alerts list")


def _print_manual(waiting: Waiting, oldest: timedelta) -> None:
    many = f"{waiting.count:,}" if waiting.count < MOST_COUNTED else f"{MOST_COUNTED:,} or more"
    noun = "job waits" if waiting.count == 1 else "jobs wait"
    typer.echo(f"{many} {noun} for a human, the oldest for {rounded(oldest)}; `pgqueue manual list` has them.")


def _print_workflows(failed: int) -> None:
    more = " or more" * (failed == MOST_LISTED)
    text = f"! {failed:,}{more} workflow{'s have' if failed != 1 else ' has'} failed"
    typer.echo(f"{paint(text, 'red')}   pgqueue workflows list --state failed")


def _print_estimates(found: Estimates) -> None:
    say("The jobs could not be looked at in time: the database is busy, or a table is locked; these are estimates.")
    for name, rows in asdict(found).items():
        typer.echo(f"{paint(name.replace('_', ' '), 'bold')}: {'unknown' if rows is None else f'about {rows:,}'}")
