"""What commands print: aligned tables for people, JSON for programs, colour only where somebody sees it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, is_dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import typer

from pgqueue.printable import as_json, in_lines, in_one_line

T = TypeVar("T")
Columns = dict[str, Callable[[T], object]]

COLOURS = {"dim": "2", "bold": "1", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
# The words of states and outcomes that are worth a colour, wherever they stand in a table.
WORDS = {
    "dead": "red",
    "failed": "red",
    "crashed": "red",
    "timeout": "red",
    "lost": "red",
    "late": "yellow",
    "retrying": "yellow",
    "paused": "yellow",
    "expired": "yellow",
    "running": "cyan",
    "succeeded": "green",
}


# Columns; a table is for looking, `jobs show` and --json have the rest.
WIDEST = 200


def print_list(rows: Sequence[T], columns: Columns[T], *, as_json: bool, empty: str) -> None:
    """Print rows as a table with these columns, or whole as JSON; `empty` says that there are none."""
    if as_json:
        print_json(rows)
    elif rows:
        print_table(list(columns), [[cell(row) for cell in columns.values()] for row in rows])
    else:
        typer.echo(empty)


def print_json(value: object) -> None:
    """Print dataclasses as objects with their fields' names, times in ISO 8601, durations in seconds."""
    typer.echo(as_json(_jsonable(value), indent=2))


def print_table(titles: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print aligned columns, numbers to the right; on a terminal a line that is too long is cut."""
    texts = [[_shortened(plain(written(cell), newlines=False)) for cell in row] for row in rows]
    widths = [max(len(title), *(len(row[n]) for row in texts)) for n, title in enumerate(titles)]
    right = [all(isinstance(row[n], int | float | None) for row in rows) for n in range(len(titles))]
    room = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for number, line in enumerate([list(titles), *texts]):
        cells = [
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(line, widths, right, strict=True)
        ]
        typer.echo(_coloured(_cut(cells, room), "bold" if number == 0 else None))


def written(value: object) -> str:
    """A value as people read it: local times, rounded durations, nothing as nothing."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else ""
        case datetime():
            return value.astimezone().strftime("%Y-%m-%d %H:%M:%S")
        case timedelta():
            return rounded(value)
        case list() | tuple():
            return ",".join(map(written, value))
        case _:
            return str(value)


def rounded(duration: timedelta) -> str:
    """A duration in its largest fitting unit."""
    seconds = duration.total_seconds()
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"


def plain(text: str, *, newlines: bool = True) -> str:
    """Text without control characters: what a job wrote into an error must not steer the terminal."""
    return in_lines(text) if newlines else in_one_line(text)


def paint(text: str, colour: str, *, err: bool = False) -> str:
    """The text in a colour, if the stream is a terminal and nobody said NO_COLOR."""
    stream = sys.stderr if err else sys.stdout
    if not stream.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    return f"\x1b[{COLOURS[colour]}m{text}\x1b[0m"


def _shortened(text: str) -> str:
    """A cell that leaves the others their room: one long error would push every line over the edge."""
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"


def _cut(cells: list[str], room: int | None) -> list[str]:
    left = sys.maxsize if room is None else room
    shown = []
    for cell in cells:
        shown.append(cell[: max(0, left)])
        left -= len(cell) + 2
    return [*shown[:-1], shown[-1].rstrip()] if any(shown) else shown


def _coloured(cells: list[str], colour: str | None) -> str:
    painted = [
        paint(cell, colour or WORDS.get(cell.strip(), "")) if _has_colour(cell, colour) else cell for cell in cells
    ]
    return "  ".join(painted).rstrip()


def _has_colour(cell: str, colour: str | None) -> bool:
    return colour is not None or cell.strip() in WORDS


def _jsonable(value: object) -> Any:
    match value:
        case datetime():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case UUID():
            return str(value)
        case dict():
            return {str(key): _jsonable(each) for key, each in value.items()}
        case list() | tuple():
            return [_jsonable(each) for each in value]
        case _ if is_dataclass(value) and not isinstance(value, type):
            return _jsonable(asdict(value))
        case _:
            return value
