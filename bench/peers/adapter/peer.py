"""What an adapter must know of its peer; everything else is the same for all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

Task = Literal["nothing", "report"]


class Peer(Protocol):
    """One other queue: how it is set up, filled, run and counted."""

    package: str
    """The distribution whose version is told."""

    async def create(self, store: str) -> None:
        """Make its schema in the empty `store`: a PostgreSQL connection string, or a URL of Redis."""

    async def open(self, store: str) -> None:
        """Open its producer."""

    async def enqueue(self, task: Task, number: int) -> None:
        """Enqueue one job, and return when it is as durable as the peer makes it."""

    def prepared(self, numbers: Sequence[int]) -> object:
        """What `enqueue_all` takes: the arguments of all jobs, in the peer's own form."""

    async def enqueue_all(self, prepared: object) -> None:
        """Enqueue no-op jobs in the fastest way that the peer documents."""

    def worker(self) -> list[str]:
        """The command of one worker process."""

    def left(self) -> int:
        """How many jobs the peer does not yet count as ended."""

    async def close(self) -> None:
        """Close what `open` opened."""
