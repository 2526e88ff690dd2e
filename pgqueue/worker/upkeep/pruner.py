"""The pruner: drops history past its keeping time, a bounded batch at a time."""

from __future__ import annotations

from datetime import timedelta

from pgqueue.store import execute, workers
from pgqueue.worker.loop import Connection
from pgqueue.worker.upkeep.portion import Portion

HISTORY = timedelta(days=7)
DEAD = timedelta(days=180)
# Seconds to the next batch: while there is more to drop, and when there is not.
SOON, LATER = 1.0, 300.0


def prune(conn: Connection, portion: Portion) -> float:
    """Drop one batch; answers the seconds until the next is worth a look."""
    gone = portion.spend(lambda most: execute(conn, workers.prune(HISTORY, DEAD, most)))
    return SOON if gone else LATER
