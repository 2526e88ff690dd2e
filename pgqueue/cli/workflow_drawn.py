"""A workflow as a picture: its lines for a terminal or a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pgqueue.cli.output import WORDS, paint, rounded
from pgqueue.cli.workflow_page import headline
from pgqueue.drawing import as_mermaid, as_svg, rails
from pgqueue.drawing.as_text import left_out, name_of
from pgqueue.printable import in_one_line
from pgqueue.record import WorkflowNode, WorkflowRecord
from pgqueue.workflow_pictures import picture


def drawn(row: WorkflowRecord, nodes: Sequence[WorkflowNode], as_: str) -> Iterator[str]:
    """The lines of a picture as `text`, `mermaid` or `svg`."""
    graph = picture(nodes, row.nodes, rounded)
    match as_:
        case "mermaid":
            yield from as_mermaid(graph)
        case "svg":
            yield as_svg(graph, headline(row))
        case _:
            yield paint(headline(row), "bold")
            rows = list(rails(graph))
            lines = max((len(rail.lines) for rail in rows), default=0)
            names = max((len(name_of(rail.box)) for rail in rows), default=0)
            for rail in rows:
                state = paint(rail.box.state, WORDS[rail.box.state]) if rail.box.state in WORDS else rail.box.state
                note = f" · {in_one_line(rail.box.note)}" if rail.box.note else ""
                yield f"{rail.lines.ljust(lines)}  {name_of(rail.box).ljust(names)}  {state}{note}"
            yield from left_out(graph)
