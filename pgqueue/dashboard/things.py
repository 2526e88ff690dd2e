"""What actions are done on, where one row of the database does not say it all."""

from __future__ import annotations

from dataclasses import dataclass

from pgqueue.dashboard.database import Conn
from pgqueue.store import execute, limits, queues
from pgqueue.store.limits import LimitRow
from pgqueue.store.queues import MOST_COUNTED, Depths, QueueStats, Settings


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue, what it says of its jobs, its limit, and how many it may hold; None where nothing is said."""

    name: str
    stats: QueueStats | None
    said: Settings | None
    limit: LimitRow | None
    size: tuple[int, str] | None

    @property
    def is_paused(self) -> bool:
        """Whether no job of it is claimed."""
        return self.stats is not None and self.stats.paused


def queue_of(conn: Conn, name: str, depths: Depths | None = None) -> Queue:
    """A queue of any name: it need not have jobs. `depths` are its numbers, if they are known already."""
    depths = depths or execute(conn, queues.depths([name], MOST_COUNTED))
    return Queue(
        name,
        next((row for row in depths.queues if row.queue == name), None),
        next(iter(execute(conn, queues.settings(name))), None),
        execute(conn, limits.get("queue", name)),
        execute(conn, limits.size_of(name)),
    )
