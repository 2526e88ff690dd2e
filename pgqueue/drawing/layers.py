"""Where the boxes of a graph stand: columns by the longest way to each, rows so that few arrows cross.

After K. Sugiyama, S. Tagawa, M. Toda, Methods for Visual Understanding of Hierarchical System Structures (1981): an
arrow over several columns gets a place in each of them, the places of a column are put in the order of the mean of
their neighbours, forth and back, and then as near to that mean as their order allows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pgqueue.drawing.graph import Arrow, Graph

# Sweeps, after which orders change no more as a rule; and how many places arrows may have on their way in all.
SWEEPS, MOST_PLACES = 6, 3_000


@dataclass(frozen=True, slots=True)
class Place:
    """A column, and how far down it: whole numbers are a box apart."""

    column: int
    row: float


@dataclass(frozen=True, slots=True)
class Layout:
    """The place of each box by its number, and the places that each arrow goes through, its ends among them."""

    boxes: Mapping[int, Place]
    ways: Sequence[tuple[Arrow, Sequence[Place]]]
    columns: int
    rows: float


def layout(graph: Graph) -> Layout:
    """Where to draw a graph. O(boxes + arrows) but for the sorting, and bounded as they are."""
    column = _columns(graph)
    ways = _ways(graph, column)
    neighbours: dict[_Key, set[_Key]] = defaultdict(set)
    for _, keys in ways:
        for one, other in pairwise(keys):
            if column_of(one, column) + 1 == column_of(other, column):
                neighbours[one].add(other)
                neighbours[other].add(one)
    stacks: list[list[_Key]] = [[] for _ in range(max(column.values(), default=-1) + 1)]
    for key in dict.fromkeys([*((box.number, 0) for box in graph.boxes), *(key for _, keys in ways for key in keys)]):
        stacks[column_of(key, column)].append(key)
    row = _rows(stacks, neighbours)
    top = min(row.values(), default=0.0)
    places = {key: Place(column_of(key, column), at - top) for key, at in row.items()}
    return Layout(
        {number: place for (number, way), place in places.items() if not way},
        [(arrow, [places[key] for key in keys]) for arrow, keys in ways],
        len(stacks),
        max((place.row for place in places.values()), default=0.0) + 1,
    )


# A box by its number and 0, or a place of the arrow n on its way: -n, and its column.
_Key = tuple[int, int]


def column_of(key: _Key, column: Mapping[int, int]) -> int:
    """The column of a box, or of a place on the way of an arrow."""
    number, way = key
    return way if way else column[number]


def _columns(graph: Graph) -> dict[int, int]:
    column = {box.number: 0 for box in graph.boxes}
    into: dict[int, list[int]] = defaultdict(list)
    for arrow in graph.arrows:
        into[arrow.end].append(arrow.begin)
    for box in graph.boxes:
        column[box.number] = max((column[begin] + 1 for begin in into[box.number]), default=0)
    return column


def _ways(graph: Graph, column: Mapping[int, int]) -> list[tuple[Arrow, list[_Key]]]:
    between = sum(column[arrow.end] - column[arrow.begin] - 1 for arrow in graph.arrows)
    ways = []
    for n, arrow in enumerate(graph.arrows, 1):
        middle = range(column[arrow.begin] + 1, column[arrow.end]) if between <= MOST_PLACES else ()
        ways.append((arrow, [(arrow.begin, 0), *((-n, each) for each in middle), (arrow.end, 0)]))
    return ways


def _rows(stacks: Sequence[list[_Key]], neighbours: Mapping[_Key, Iterable[_Key]]) -> dict[_Key, float]:
    row = {key: float(at) for stack in stacks for at, key in enumerate(stack)}
    for sweep in range(SWEEPS):
        for stack in stacks if sweep % 2 == 0 else reversed(stacks):
            wish = {key: _mean([row[each] for each in neighbours.get(key, ())], row[key]) for key in stack}
            stack.sort(key=lambda key: (wish[key], row[key]))
            for key, at in zip(stack, _apart([wish[key] for key in stack]), strict=True):
                row[key] = at
    return row


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _apart(wishes: Sequence[float]) -> list[float]:
    """Rising wishes as places that are at least 1 apart, where they are closer moved away from their middle alike."""
    blocks: list[tuple[float, int]] = []
    for wish in wishes:
        middle, many = wish, 1
        while blocks and blocks[-1][0] + (blocks[-1][1] - 1) / 2 + 1 > middle - (many - 1) / 2:
            before, count = blocks.pop()
            middle, many = (before * count + middle * many) / (count + many), count + many
        blocks.append((middle, many))
    return [middle - (many - 1) / 2 + n for middle, many in blocks for n in range(many)]
