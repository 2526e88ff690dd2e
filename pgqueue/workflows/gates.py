"""Gates: what opens when enough ends were counted, so that jobs begin and other gates are counted towards."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from pgqueue.store.workflow_rows import GateRow

# Ends that are counted at one row: more go through others in front of it, or all would wait for that row.
WIDEST = 500


class Gate:
    """One gate; `total` is how many ends it was told to count."""

    __slots__ = (
        "_book",
        "_is_first",
        "_leaf",
        "closed",
        "errors",
        "failed_id",
        "links",
        "number",
        "others",
        "total",
        "unmet",
    )

    def __init__(self, book: Gates, number: int, *, is_first: bool = False) -> None:
        self._book = book
        self._leaf: Gate | None = None
        self._is_first = is_first
        self.number = number
        self.total = self.unmet = int(is_first)
        self.links: list[int] = []
        self.closed = False
        self.failed_id: UUID | None = None
        self.errors: list[str] | None = None
        self.others = False

    def count(self) -> int:
        """The link by which one more end is counted here."""
        if self._is_first:
            return self.number
        if self.total < WIDEST:
            self._add()
            return self.number
        if self._leaf is None or self._leaf.total == WIDEST:
            self._leaf = self._book.new()
            self._leaf.links.append(self.number)
            self._add()
        self._leaf._add()
        return self._leaf.number

    def _add(self) -> None:
        self.total += 1
        self.unmet += 1

    @property
    def is_open(self) -> bool:
        """Whether there is nothing to wait for."""
        return self.unmet == 0 and not self.closed

    def row(self) -> GateRow:
        """As it is written."""
        return GateRow(self.number, self.unmet, self.total, self.links, self.failed_id, self.errors, self.others)


class Gates:
    """Those of one workflow, by number."""

    def __init__(self) -> None:
        self._all: dict[int, Gate] = {}
        self._passed: set[int] = set()

    def new(self) -> Gate:
        """A gate that counts what it is told to."""
        return self._added(is_first=False)

    def first(self) -> Gate:
        """A gate that opens at the first of several ends; what comes later finds it gone."""
        return self._added(is_first=True)

    def _added(self, *, is_first: bool) -> Gate:
        number = len(self._all) + 1
        gate = self._all[number] = Gate(self, number, is_first=is_first)
        return gate

    def branch(self, failed: UUID, errors: list[str] | None, *, others: bool) -> Gate:
        """A gate that opens when a job has failed in a certain way, and is closed when it has in another."""
        gate = self.first()
        gate.failed_id, gate.errors, gate.others = failed, errors, others
        return gate

    def settle(self) -> None:
        """Pass the gates at which nothing is to be counted, as the database would: those of a whole without nodes."""
        waiting = [gate for gate in self._all.values() if gate.is_open and gate.number not in self._passed]
        while waiting:
            gate = waiting.pop()
            self._passed.add(gate.number)
            for link in sorted(gate.links):
                target = self._all[abs(link)]
                if link < 0:
                    target.closed = True
                elif target.unmet:
                    target.unmet -= 1
                    if target.is_open and target.number not in self._passed:
                        waiting.append(target)

    def rows(self) -> Iterable[GateRow]:
        """Those that are not passed or closed."""
        return (gate.row() for gate in self._all.values() if gate.unmet and not gate.closed)
