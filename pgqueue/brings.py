"""What the success of an attempt brings along: it is written in the transaction of that success, or not at all."""

from __future__ import annotations

from typing import Literal

from pgqueue.errors import SpawnLimit

# Of all that one success brings, as JSON: what a statement can carry, and a worker keep for a while.
MOST_BYTES = 32 * 2**20
# A job is at most so many generations below the first of its line, and brings at most so many others.
MAX_DEPTH, MAX_CHILDREN = 32, 10_000

Kind = Literal["jobs", "effects", "grafts"]


class Brings:
    """Gathered while the attempt runs: new `jobs`, and `effects`, each as enqueue_new.sql wants it; and `grafts`, which
    are added to its own workflow (graft.sql).

    `max_depth` and `max_children` are those of the task.
    """

    __slots__ = ("effects", "grafts", "jobs", "max_children", "max_depth", "size")

    def __init__(self, max_depth: int | None = None, max_children: int | None = None) -> None:
        self.jobs: list[str] = []
        self.effects: list[str] = []
        self.grafts: list[str] = []
        self.max_depth = MAX_DEPTH if max_depth is None else max_depth
        self.max_children = MAX_CHILDREN if max_children is None else max_children
        self.size = 0

    def add(self, kind: Kind, text: str) -> None:
        """Have this written with the success. Raises SpawnLimit where it is too much."""
        if kind != "grafts" and len(self.jobs) + len(self.effects) >= self.max_children:
            raise SpawnLimit(
                f"the job has brought {self.max_children:,} others; bring fewer, by enqueue_many() on a connection of"
                " your own, or raise max_children in @task(...)"
            )
        if self.size + len(text) > MOST_BYTES:
            raise SpawnLimit(
                f"what the job's success brings is {self.size + len(text):,} characters long, and may be"
                f" {MOST_BYTES:,}; pass ids in place of contents"
            )
        self.size += len(text) + 1
        getattr(self, kind).append(text)

    def text(self) -> str:
        """All of it as one JSON object, for pgqueue.succeed()."""
        parts = (("jobs", self.jobs), ("effects", self.effects), ("grafts", self.grafts))
        said = [f'"{name}":[{",".join(texts)}]' for name, texts in parts if texts]
        said += [f'"max_depth":{self.max_depth}', f'"max_children":{self.max_children}']
        return f"{{{','.join(said)}}}"
