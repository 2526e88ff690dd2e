"""From where on something is worth a word: one place for all numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a check warns at; and where there are two, what it fails at."""

    clock: float = 1.0
    horizon: timedelta = timedelta(minutes=5)
    horizon_fails: timedelta = timedelta(minutes=30)
    # Transactions that a slot or a standby may be behind.
    behind: int = 1_000_000
    # Entries of the claim's index that lie dead before the first jobs of twenty queues.
    walked: int = 1_000
    walked_fails: int = 30_000
    dead_rows: int = 200_000
    # Of the two thousand million after which the server stops taking writes.
    row_age: int = 1_000_000_000
    bloat_bytes: int = 128 * 1024 * 1024
    # Shares of what there is.
    notify_queue: float = 0.1
    notify_queue_fails: float = 0.5
    connections: float = 0.8
    connections_fails: float = 0.95
    # A lease ends at once where a worker is killed, and is taken back by another one's chores.
    lease: timedelta = timedelta(minutes=1)
    schedule: timedelta = timedelta(minutes=2)
    # A minute is the usual; a worker that is away from the database tells later.
    tallies: timedelta = timedelta(minutes=5)
    args_bytes: int = 1024 * 1024
    oldest: timedelta = timedelta(hours=1)
    oldest_fails: timedelta = timedelta(days=1)
