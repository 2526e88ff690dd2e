"""A graph to be drawn: boxes, the arrows between them, and an order in which each comes behind what it needs.

It is made of rows, which other hands may have written: arrows from nowhere and arrows that close a circle are left out.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

# More of them nobody can look at; so many arrows between them are told apart.
MOST_BOXES, MOST_ARROWS = 200, 1_000
# What a picture is looked at for comes first, where not all can be drawn.
_URGENT = ("dead", "running", "retrying", "manual", "ready", "scheduled", "waiting", "cancelled", "succeeded")


@dataclass(frozen=True, slots=True)
class Box:
    """A node as one box, whether it is one job or a group of `total`, of which so many have `ended`.

    `needs` are the numbers of those that must end before, `repairs` of those whose failure it is there for. `note` is
    what else is to be said of it. `key` is what its link leads to.
    """

    number: int
    name: str
    state: str
    needs: Sequence[int] = ()
    repairs: Sequence[int] = ()
    total: int = 1
    ended: int = 0
    note: str = ""
    key: str | None = None

    @property
    def is_group(self) -> bool:
        """Whether it stands for several jobs, or for none."""
        return self.total != 1


@dataclass(frozen=True, slots=True)
class Arrow:
    """From a box to one that waits for it; `is_repair`: for its failure alone."""

    begin: int
    end: int
    is_repair: bool = False


@dataclass(frozen=True, slots=True)
class Graph:
    """Boxes, each behind what it needs, and arrows between them; how many of each were `left_out`."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    boxes_left_out: int = 0
    arrows_left_out: int = 0

    def summary(self) -> str:
        """How many boxes are in which state."""
        states = Counter(box.state for box in self.boxes)
        return ", ".join(f"{states[state]:,} {state}" for state in sorted(states, key=_urgency))


def graph(boxes: Iterable[Box], *, of: int | None = None, most: int = MOST_BOXES) -> Graph:
    """The graph of these boxes, of which at most `most` are drawn; there are `of` in all, if not only these."""
    there = {box.number: box for box in boxes}
    chosen = sorted(there.values(), key=lambda box: (_urgency(box.state), box.number))[:most]
    kept = {box.number: box for box in sorted(chosen, key=lambda box: box.number)}
    order = _order(kept)
    place = {number: at for at, number in enumerate(order)}
    arrows = [
        arrow
        for number in order
        for arrow in _arrows(kept[number])
        if arrow.begin in place and place[arrow.begin] < place[number]
    ]
    return Graph(
        tuple(kept[number] for number in order),
        tuple(arrows[:MOST_ARROWS]),
        max(of or 0, len(there)) - len(kept),
        max(0, len(arrows) - MOST_ARROWS),
    )


def _arrows(box: Box) -> list[Arrow]:
    said = [Arrow(each, box.number) for each in box.needs] + [Arrow(each, box.number, True) for each in box.repairs]
    return list({(arrow.begin, arrow.is_repair): arrow for arrow in said}.values())


def _order(boxes: Mapping[int, Box]) -> list[int]:
    """Numbers of boxes, each behind those it needs, and soon behind the last of them: lines stay short and few."""
    open_needs = {number: ({*box.needs, *box.repairs} & boxes.keys()) - {number} for number, box in boxes.items()}
    waited_for: dict[int, list[int]] = defaultdict(list)
    for number, needs in open_needs.items():
        for each in needs:
            waited_for[each].append(number)
    ready = [(0, number) for number, needs in open_needs.items() if not needs]
    heapq.heapify(ready)
    order: dict[int, None] = {}
    while len(order) < len(boxes):
        # Of a circle, which nothing of ours writes, the lowest number comes first.
        _, number = heapq.heappop(ready) if ready else (0, min(boxes.keys() - order.keys()))
        order[number] = None
        for each in waited_for[number]:
            open_needs[each].discard(number)
            if not open_needs[each] and each not in order:
                heapq.heappush(ready, (-len(order), each))
    return list(order)


def _urgency(state: str) -> int:
    return _URGENT.index(state) if state in _URGENT else len(_URGENT)
