"""What commands print: aligned tables for people, JSON for programs, colour only where somebody sees it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, TypeVar

import typer

from pgqueue.cli.brief import brief
from pgqueue.cli.shapes import Shape, shape
from pgqueue.encryption import in_words, shown_value
from pgqueue.jsonable import jsonable
from pgqueue.printable import as_json, in_one_line

if TYPE_CHECKING:
    from rich.console import Console

T = TypeVar("T")
Columns = dict[str, Callable[[T], object]]

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
    "manual": "magenta",
    "waiting": "dim",
    "running": "cyan",
    "succeeded": "green",
}


# Characters between columns, and what a column keeps at least on a narrow terminal.
GAP, NARROWEST = 2, 6
# Columns where nobody sees the edge.
UNBOUNDED = 1_000_000
# Columns; a table is for looking, `jobs show` and --json have the rest.
WIDEST = 200
# What stands below its row where a terminal is too narrow for both.
BELOW = frozenset({"LAST ERROR", "ERROR"})


def print_list(rows: Sequence[T], columns: Columns[T], *, as_json: bool, empty: str, wide: bool = False) -> None:
    """Print rows as a table with these columns, or whole as JSON; `empty` says that there are none.

    A `wide` one is not cut to the terminal.
    """
    if as_json:
        print_json(rows)
    elif rows and shape() is Shape.EXPANDED:
        _print_expanded(columns, rows)
    elif rows:
        print_table(list(columns), [[cell(row) for cell in columns.values()] for row in rows], wide=wide)
    else:
        typer.echo(empty)


def print_json(value: object) -> None:
    """Print dataclasses as objects with their fields' names, times in ISO 8601, durations in seconds."""
    typer.echo(as_json(shown_value(jsonable(value)), indent=2))


def _print_expanded(columns: Columns[T], rows: Sequence[T]) -> None:
    """Print each row as lines of names and values, none of them cut."""
    width = max(map(len, columns))
    for number, row in enumerate(rows, 1):
        typer.echo(paint(f"-[ {number} ]{'-' * width}", "dim"))
        for name, cell in columns.items():
            typer.echo(f"{paint(name.ljust(width), 'bold')}  {in_one_line(written(cell(row)))}".rstrip())


def print_table(titles: Sequence[str], rows: Sequence[Sequence[object]], *, wide: bool = False) -> None:
    """Print aligned columns, numbers to the right; a terminal is spared empty columns, and gets long cells cut."""
    # Late, because a worker never prints a table. Not rich's own tables: they take ten times as long.
    from rich.segment import Segment, Segments
    from rich.style import Style

    shown = console()
    wide = wide or shape() is Shape.WIDE
    lay = _layout(titles, rows, shown.width if shown.is_terminal and not wide else None, None if wide else WIDEST)
    styles = {word: Style.parse(style) for word, style in WORDS.items()}
    segments = []
    for number, row in enumerate([titles, *lay.texts]):
        for n, width, right in zip(lay.columns, lay.widths, lay.to_right, strict=True):
            cell, pad = _laid(row[n], width)
            style = Style(bold=True) if number == 0 else styles.get(row[n])
            segments += [Segment(pad)] * right + [Segment(cell, style)] + [Segment(pad)] * (not right)
            segments.append(Segment(" " * GAP))
        segments.append(Segment.line())
        if lay.below is not None and number and row[lay.below]:
            segments += [Segment(_laid(f"    {row[lay.below]}", shown.width)[0], Style(dim=True)), Segment.line()]
    with shown.capture() as printed:
        shown.print(Segments(segments), soft_wrap=True)
    for line in printed.get().splitlines():
        typer.echo(line.rstrip(), color=True)


@dataclass(frozen=True, slots=True)
class _Layout:
    """The cells as texts; which columns stand beside each other, and how; and which one stands below its row."""

    texts: list[list[str]]
    columns: list[int]
    widths: list[int]
    to_right: list[bool]
    below: int | None


def _layout(titles: Sequence[str], rows: Sequence[Sequence[object]], room: int | None, widest: int | None) -> _Layout:
    """How to print a table within so many characters, and a cell in so many; None: as wide as it is."""
    texts = [[_shortened(in_one_line(written(cell)), widest) for cell in row] for row in rows]
    columns = [n for n in range(len(titles)) if room is None or any(row[n] for row in texts)]
    widths = _natural(titles, texts, columns)
    below = None
    if room is not None and _width(widths) > room:
        texts = brief(rows, texts)
        widths = _natural(titles, texts, columns)
        if _width(widths) > room and titles[columns[-1]] in BELOW:
            below, widths = columns.pop(), widths[:-1]
        # What is compared or typed in elsewhere is of use as a whole alone: names give way.
        names = [place for place, n in enumerate(columns) if any(_is_name(row[n]) for row in rows)]
        widths = _fitted(widths, names, room)
    to_right = [all(isinstance(row[n], int | float | None) for row in rows) for n in columns]
    return _Layout(texts, columns, widths, to_right, below)


def _natural(titles: Sequence[str], texts: Sequence[Sequence[str]], columns: Sequence[int]) -> list[int]:
    """How wide each of the columns is where nothing is cut."""
    from rich.cells import cell_len

    return [max(cell_len(titles[n]), *(cell_len(row[n]) for row in texts)) for n in columns]


def _laid(text: str, width: int) -> tuple[str, str]:
    """The text, cut to a width, and what fills the rest of it."""
    from rich.cells import cell_len, set_cell_size

    if cell_len(text) > width:
        text = f"{set_cell_size(text, width - 1).rstrip()}…"
    return text, " " * (width - cell_len(text))


def written(value: object) -> str:
    """A value as people read it: local times, rounded durations, nothing as nothing."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else ""
        case datetime():
            return _local(value).strftime("%Y-%m-%d %H:%M:%S")
        case timedelta():
            return rounded(value)
        case list() | tuple():
            return ",".join(map(written, value))
        case _:
            return in_words(str(value))


def _local(moment: datetime) -> datetime:
    """The moment in local time; as it is, where the calendar ends before."""
    try:
        return moment.astimezone()
    except (OverflowError, ValueError, OSError):
        return moment


def rounded(duration: timedelta) -> str:
    """A duration in its largest fitting unit."""
    seconds = duration.total_seconds()
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"


def paint(text: str, style: str, *, err: bool = False) -> str:
    """The text in a colour, if the stream is a terminal and nobody said NO_COLOR."""
    from rich.text import Text

    shown = console(err=err)
    with shown.capture() as painted:
        shown.print(Text(text, style), end="", soft_wrap=True)
    return str(painted.get())


def console(*, err: bool = False) -> Console:
    """Where a command prints: colour and width are the terminal's; elsewhere lines are as long as they are."""
    from rich.console import Console

    stream = sys.stderr if err else sys.stdout
    return Console(
        file=stream,
        width=None if stream.isatty() else UNBOUNDED,
        # Not only no colour: no bold letters either.
        color_system=None if os.environ.get("NO_COLOR") else "auto",
        highlight=False,
        markup=False,
        emoji=False,
    )


def _shortened(text: str, widest: int | None) -> str:
    """A cell that leaves the others their room: one long error would push every line over the edge."""
    return text if widest is None or len(text) <= widest else f"{text[: widest - 1]}…"


def _is_name(cell: object) -> bool:
    return isinstance(cell, str | list) and not isinstance(cell, Enum)


def _width(widths: Sequence[int]) -> int:
    return sum(widths) + GAP * (len(widths) - 1)


def _fitted(widths: list[int], yielding: Collection[int], room: int) -> list[int]:
    """Widths that fit into `room`, if that can be: of those at the `yielding` places the widest gives way."""
    widths = list(widths)
    while _width(widths) > room:
        widest = max(yielding, key=lambda n: widths[n], default=None)
        if widest is None or widths[widest] <= NARROWEST:
            break
        widths[widest] -= 1
    return widths
