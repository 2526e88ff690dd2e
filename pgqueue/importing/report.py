"""What an import has moved, or would move, and what it leaves where it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pgqueue.store.foreign_jobs import ForeignId, ForeignJob

# Different lines of a report, and ids that one of them shows.
MOST_LINES, MOST_IDS = 1000, 3
OTHERS = "(others)"


@dataclass(slots=True)
class Left:
    """How many jobs were left for one reason, and the ids of some."""

    count: int = 0
    ids: list[ForeignId] = field(default_factory=list)


@dataclass(slots=True)
class Report:
    """Jobs that went by (name there, target here), those left by (name there, why), and what became different."""

    went: Counter[tuple[str, str]] = field(default_factory=Counter)
    left: dict[tuple[str, str], Left] = field(default_factory=dict)
    notes: Counter[str] = field(default_factory=Counter)

    @property
    def moved(self) -> int:
        return self.went.total()

    @property
    def skipped(self) -> int:
        return sum(left.count for left in self.left.values())

    def add(self, found: ForeignJob, target: str) -> None:
        """A job went."""
        self.went[_room((found.name, target), self.went)] += 1

    def leave(self, found: ForeignJob, why: str) -> None:
        """A job stays."""
        left = self.left.setdefault(_room((found.name, why), self.left), Left())
        left.count += 1
        if len(left.ids) < MOST_IDS:
            left.ids.append(found.id)

    def take(self, other: Report) -> None:
        """What another one has, too."""
        for line, count in other.went.items():
            self.went[_room(line, self.went)] += count
        for line, more in other.left.items():
            left = self.left.setdefault(_room(line, self.left), Left())
            left.count += more.count
            left.ids = [*left.ids, *more.ids][:MOST_IDS]
        self.notes.update(other.notes)

    def note(self, what: str) -> None:
        """Something of a job that went is not as it was."""
        self.notes[what] += 1


def _room(line: tuple[str, str], lines: Mapping[tuple[str, str], Any]) -> tuple[str, str]:
    """The line itself, or that of the others where there are too many."""
    return line if line in lines or len(lines) < MOST_LINES else (OTHERS, OTHERS)
