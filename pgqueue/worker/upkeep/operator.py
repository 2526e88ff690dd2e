"""Operations that nobody drives: bulk actions that were left to the workers, a batch at a time."""

from __future__ import annotations

import random

from pgqueue.operations import drive_detached
from pgqueue.worker.loop import Connection

# Seconds between two looks for operations while there are none.
LOOK_EVERY = 15.0


def drive_operations(conn: Connection) -> float:
    """Drive what is due for a moment; answers the seconds until the next look. Nothing to do costs one statement."""
    wait = drive_detached(conn)
    return (LOOK_EVERY if wait is None else wait) * random.uniform(0.8, 1.0)
