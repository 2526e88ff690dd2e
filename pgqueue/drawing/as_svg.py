"""A graph as one SVG: whole with its own colours, or as a part of a page that has colours of the same names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from html import escape
from unicodedata import east_asian_width

from pgqueue.drawing.as_text import left_out
from pgqueue.drawing.graph import Arrow, Box, Graph
from pgqueue.drawing.layers import Layout, Place, layout
from pgqueue.drawing.looks import STYLE
from pgqueue.drawing.rails import MARKS, UNKNOWN
from pgqueue.printable import in_one_line

# Of a box, and from one to the next.
WIDTH, HEIGHT = 196, 46
ACROSS, DOWN = WIDTH + 60, HEIGHT + 16
MARGIN = 8
# How much of a text fits into a box, in letters of a Latin script.
NAME, SAID = 23, 29


def as_svg(graph: Graph, title: str, link: Callable[[Box], str | None] | None = None, *, alone: bool = True) -> str:
    """The graph as SVG. `link` answers where a box leads to; `alone`: with its colours, as a file of its own."""
    where = layout(graph)
    width = 2 * MARGIN + max(0, where.columns - 1) * ACROSS + WIDTH
    height = 2 * MARGIN + max(0.0, where.rows - 1) * DOWN + HEIGHT
    role = "img" if link is None else "group"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="graph" viewBox="0 0 {width} {height:.0f}" width="{width}"'
        f' height="{height:.0f}" role="{role}" aria-labelledby="graph-title graph-about">',
        f'<title id="graph-title">{_safe(title)}</title>',
        f'<desc id="graph-about">{_safe(_about(graph))}</desc>',
        *([STYLE] if alone else []),
        '<defs><marker id="graph-head" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="7" markerHeight="7"'
        ' orient="auto"><path class="arrow-head" d="M0 0.5 8 4 0 7.5z"/></marker></defs>',
        *(_arrow(arrow, way) for arrow, way in where.ways),
        *(line for box in graph.boxes for line in _box(box, where, None if link is None else link(box))),
        "</svg>",
    ]
    return "\n".join(lines)


def _about(graph: Graph) -> str:
    names = {box.number: box.name for box in graph.boxes}
    needs: dict[int, list[str]] = {}
    for arrow in graph.arrows:
        needs.setdefault(arrow.end, []).append(names[arrow.begin] + (" (if it fails)" if arrow.is_repair else ""))
    told = [
        f"{box.name}: {box.state}" + (f", after {', '.join(needs[box.number])}" if box.number in needs else "")
        for box in graph.boxes
    ]
    return "; ".join([f"{len(graph.boxes):,} nodes: {graph.summary()}", *left_out(graph), *told])


def _arrow(arrow: Arrow, way: Sequence[Place]) -> str:
    kind = "arrow repair" if arrow.is_repair else "arrow"
    return f'<path class="{kind}" d="{" ".join(_curve(way))}" marker-end="url(#graph-head)"/>'


def _curve(way: Sequence[Place]) -> Iterator[str]:
    """From the right of a box by the middles of what lies between to the left of another one."""
    x, y = _right(way[0])
    yield f"M{x:.0f} {y:.1f}"
    for place in way[1:]:
        left, at = _left(place)
        half = (left - x) / 2
        yield f"C{x + half:.0f} {y:.1f} {left - half:.0f} {at:.1f} {left:.0f} {at:.1f}"
        x, y = _right(place)
        if place is not way[-1]:
            yield f"H{x:.0f}"


def _left(place: Place) -> tuple[float, float]:
    return MARGIN + place.column * ACROSS, MARGIN + place.row * DOWN + HEIGHT / 2


def _right(place: Place) -> tuple[float, float]:
    x, y = _left(place)
    return x + WIDTH, y


def _box(box: Box, where: Layout, link: str | None) -> Iterator[str]:
    x, middle = _left(where.boxes[box.number])
    y = middle - HEIGHT / 2
    whole = " · ".join(filter(None, [box.name, box.state, box.note]))
    if link is not None:
        yield f'<a href="{escape(link)}">'
    yield f'<g class="box s-{_class(box.state)}" transform="translate({x:.0f} {y:.1f})"><title>{_safe(whole)}</title>'
    if box.is_group:
        yield f'<rect x="4" y="-4" width="{WIDTH - 4}" height="{HEIGHT}" rx="8"/>'
    yield f'<rect width="{WIDTH - 4 * box.is_group}" height="{HEIGHT}" rx="8"/>'
    yield f'<text class="mark" x="10" y="20">{MARKS.get(box.state, UNKNOWN)}</text>'
    yield f'<text x="26" y="20">{_safe(fitted(box.name, NAME))}</text>'
    yield f'<text class="said" x="10" y="36">{_safe(fitted(box.note or box.state, SAID))}</text>'
    if box.total > 1:
        length = WIDTH - 24
        done = length * min(1.0, box.ended / box.total)
        yield f'<rect class="all" x="10" y="{HEIGHT - 6}" width="{length}" height="3" rx="1.5"/>'
        yield f'<rect class="done" x="10" y="{HEIGHT - 6}" width="{done:.1f}" height="3" rx="1.5"/>'
    yield "</g></a>" if link is not None else "</g>"


def fitted(text: str, room: int) -> str:
    """As much of a text as has room, where letters of wide scripts take two places."""
    line = in_one_line(text[: room + 1])
    taken = 0
    for at, letter in enumerate(line):
        taken += 2 if east_asian_width(letter) in "WF" else 1
        if taken > room:
            return f"{line[: at - 1]}…"
    return line


def _safe(text: str) -> str:
    return escape(in_one_line(text, 20_000))


def _class(state: str) -> str:
    return state if state in MARKS else "waiting"
