"""What `pgqueue status` prints of several databases: a line a database, and a word about those that did not answer."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict

import typer

from pgqueue.cli.errors import exit_code
from pgqueue.cli.output import Columns, print_json, print_list
from pgqueue.cli.status_alarms import Alarms
from pgqueue.cli.status_page import CLEAR, Snapshot, as_values
from pgqueue.each_database import Told
from pgqueue.printable import in_one_line
from pgqueue.summaries import Summary

COLUMNS: Columns[Told[Summary]] = {
    "DATABASE": lambda row: row.database,
    "READY": lambda row: row.answer and row.answer.ready,
    "LATER": lambda row: row.answer and row.answer.scheduled,
    "RUN": lambda row: row.answer and row.answer.running,
    "RETRY": lambda row: row.answer and row.answer.retrying,
    "DEAD": lambda row: row.answer and row.answer.dead,
    "OLDEST": lambda row: row.answer and row.answer.oldest_ready_age,
    "WORKERS": lambda row: row.answer and row.answer.workers,
    "ALERTS": lambda row: (row.answer and row.answer.alerts) or None,
    "ERROR": lambda row: None if row.error is None else in_one_line(str(row.error)),
}


def print_summaries(told: Sequence[Told[Summary]], *, as_json: bool, wide: bool, again: bool) -> None:
    """Print a line a database, or all of it as JSON."""
    if as_json:
        print_json([{"database": row.database, "error": _error(row), **_values(row)} for row in told])
        return
    if again and sys.stdout.isatty():
        typer.echo(CLEAR, nl=False)
    print_list(told, COLUMNS, as_json=False, empty="No database was named.", wide=wide)
    if any(row.answer is not None and not row.answer.is_all for row in told):
        typer.echo("Of very many queues the fullest are counted.")


def alarms_told(alarms: Alarms, told: Sequence[Told[Snapshot]], *, as_json: bool) -> bool:
    """Print a line a database that says what is wrong there, or JSON; whether anything is."""
    found = [(row, [_error(row) or ""] if row.answer is None else alarms.wrong(row.answer)) for row in told]
    if as_json:
        print_json(
            [
                {"database": row.database, **(as_values(row.answer) if row.answer else {}), "alarms": wrong}
                for row, wrong in found
            ]
        )
    else:
        for row, wrong in found:
            typer.echo(f"{row.database}: {alarms.in_one_line(wrong)}")
    return any(wrong for _, wrong in found)


def code_of(told: Sequence[Told[Summary]]) -> int:
    """The exit code: that of the first one that could not be asked, if any."""
    return next((exit_code(row.error) for row in told if row.error is not None), 0)


def _error(row: Told[Summary] | Told[Snapshot]) -> str | None:
    return None if row.error is None else in_one_line(str(row.error))


def _values(row: Told[Summary]) -> dict[str, object]:
    return {} if row.answer is None else asdict(row.answer)
