"""A graph as rows of a terminal: one box a row, and left of it the lines that lead to it from what it needs.

A line runs down from a box until the last one that needs it. Rows have no room between them, so a line that passes
another one without meeting it is drawn as a bridge: the other one goes on through it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from pgqueue.drawing.graph import Box, Graph

MARKS = {
    "succeeded": "✔",
    "dead": "✘",
    "running": "▶",
    "retrying": "↻",
    "manual": "☐",
    "ready": "●",
    "scheduled": "◷",
    "waiting": "○",
    "cancelled": "⊘",
}
UNKNOWN = "?"


@dataclass(frozen=True, slots=True)
class Rail:
    """A row: the lines left of a box, its mark among them, and the box."""

    lines: str
    box: Box


def rails(graph: Graph) -> Iterator[Rail]:
    """The rows of a graph, in order."""
    # An arrow for the end of a box and one for its failure are one line.
    pairs = {(arrow.begin, arrow.end) for arrow in graph.arrows}
    lanes = _Lanes(Counter(begin for begin, _ in pairs))
    needs: dict[int, set[int]] = {box.number: set() for box in graph.boxes}
    for begin, end in pairs:
        needs[end].add(begin)
    for row, box in enumerate(graph.boxes):
        yield Rail(lanes.draw(row, box, needs[box.number]), box)


@dataclass(slots=True)
class _Lanes:
    """Which box's line runs in each lane, and how many boxes each has still to reach."""

    owed: Counter[int]
    taken: list[int | None] = field(default_factory=list)
    # The row of the last box of a lane from which no line goes on: below it another one would look as if it did.
    ended: dict[int, int] = field(default_factory=dict)

    def draw(self, row: int, box: Box, needs: set[int]) -> str:
        """The lines of a row, after which the lanes are as below it."""
        met = {lane for lane, number in enumerate(self.taken) if number in needs}
        self.owed.subtract(needs)
        over = {lane for lane in met if self.owed[self._number(lane)] <= 0}
        own = min(over) if over else self._free(row, max(met, default=-1))
        text = self._text(own, met, over, MARKS.get(box.state, UNKNOWN))
        for lane in over:
            self.taken[lane] = None
        if self.owed[box.number] > 0:
            self.taken[own] = box.number
        else:
            self.ended[own] = row
        return text

    def _number(self, lane: int) -> int:
        number = self.taken[lane]
        assert number is not None, "a line was met here"
        return number

    def _free(self, row: int, behind: int) -> int:
        """A lane for a box that goes on with nobody's line, right of those that lead to it."""
        for lane in range(behind + 1, len(self.taken)):
            if self.taken[lane] is None and self.ended.get(lane, -2) != row - 1:
                return lane
        self.taken.append(None)
        return len(self.taken) - 1

    def _text(self, own: int, met: set[int], over: set[int], mark: str) -> str:
        first, last = min({own, *met}), max({own, *met})
        drawn = []
        for lane, number in enumerate(self.taken):
            is_in = first <= lane <= last
            if lane == own:
                drawn.append(mark)
            elif lane in met:
                ends = ("╰", "╯", "┴") if lane in over else ("├", "┤", "┼")
                drawn.append(ends[0] if lane == first else ends[1] if lane == last else ends[2])
            else:
                drawn.append("│" if number is not None else "─" if is_in else " ")
            drawn.append("─" if first <= lane < last else " ")
        return "".join(drawn).rstrip()
