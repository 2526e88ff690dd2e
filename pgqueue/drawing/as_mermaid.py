"""A graph in mermaid's language, for pages that draw it: notes, tickets, GitHub."""

from __future__ import annotations

from collections.abc import Iterator

from pgqueue.drawing.as_text import left_out, name_of
from pgqueue.drawing.graph import Box, Graph
from pgqueue.printable import in_one_line

# Fill, border; text is black on each.
_COLOURS = {
    "succeeded": ("#d8f0dd", "#23713a"),
    "dead": ("#f9d7d4", "#b3261e"),
    "running": ("#d3eef2", "#0a6f80"),
    "retrying": ("#f8e7c4", "#8a5a00"),
    "ready": ("#d9e6fb", "#1d5fc4"),
    "scheduled": ("#e5def7", "#6d4fb8"),
    "manual": ("#f3dcf0", "#8f2f83"),
    "waiting": ("#f1f1ee", "#8a8f96"),
    "cancelled": ("#f1f1ee", "#5b616a"),
}


def as_mermaid(graph: Graph) -> Iterator[str]:
    """The lines of a flowchart. What names say is never taken for mermaid's words, nor for HTML."""
    yield "flowchart LR"
    for line in left_out(graph):
        yield f"  %% {line}"
    for box in graph.boxes:
        open_, close = ("[[", "]]") if box.is_group else ("[", "]")
        yield f'  n{box.number}{open_}"{_label(box)}"{close}{_class(box)}'
    for arrow in graph.arrows:
        yield f"  n{arrow.begin} {'-. fails .->' if arrow.is_repair else '-->'} n{arrow.end}"
    for state in sorted({box.state for box in graph.boxes} & _COLOURS.keys()):
        fill, border = _COLOURS[state]
        yield f"  classDef {state} fill:{fill},stroke:{border},color:#000"


def _label(box: Box) -> str:
    said = " · ".join([box.state, *filter(None, [in_one_line(box.note, 120)])])
    return f"{_entities(name_of(box))}<br>{_entities(said)}"


def _entities(text: str) -> str:
    """Letters and digits as they are, and those of all scripts; everything else by its number."""
    return "".join(each if each.isalnum() or each in " _.,·" else f"#{ord(each)};" for each in text)


def _class(box: Box) -> str:
    return f":::{box.state}" if box.state in _COLOURS else ""
