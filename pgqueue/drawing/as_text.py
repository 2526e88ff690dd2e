"""A graph as lines of text."""

from __future__ import annotations

from collections.abc import Iterator

from pgqueue.drawing.graph import Box, Graph
from pgqueue.drawing.rails import rails
from pgqueue.printable import in_one_line

# Columns of a name; a longer one is cut.
WIDEST = 48


def as_text(graph: Graph) -> Iterator[str]:
    """The rows of a graph: its lines, a name, a state and what else is to be said."""
    rows = list(rails(graph))
    lines = max((len(row.lines) for row in rows), default=0)
    names = max((len(name_of(row.box)) for row in rows), default=0)
    for row in rows:
        said = map(in_one_line, filter(None, [row.box.state, row.box.note]))
        yield f"{row.lines.ljust(lines)}  {name_of(row.box).ljust(names)}  {' · '.join(said)}"
    yield from left_out(graph)


def left_out(graph: Graph) -> Iterator[str]:
    """What is to be said of what is not drawn."""
    if graph.boxes_left_out:
        yield f"{graph.boxes_left_out:,} more nodes are not drawn: those that have ended, or come last"
    if graph.arrows_left_out:
        yield f"{graph.arrows_left_out:,} more arrows are not drawn"


def name_of(box: Box) -> str:
    """The name as it stands in a row."""
    name = in_one_line(box.name[: WIDEST + 1])
    return name if len(name) <= WIDEST else f"{name[: WIDEST - 1]}…"
