"""Operations that nobody drives: bulk actions that were left to the workers, a batch at a time."""

from __future__ import annotations

import random
import time

from pgqueue import operations
from pgqueue.errors import PgqueueError
from pgqueue.store import execute
from pgqueue.store.operations import detached, stop
from pgqueue.worker.loop import Connection

# Seconds between two looks for operations, while there are none and while there is one; and of work in one look.
LOOK_EVERY, NEXT, SPELL = 15.0, 0.5, 0.5
# Jobs of a batch: the heartbeat waits for it.
MOST = 100


def drive_operations(conn: Connection) -> float:
    """Drive what is due for a moment; answers the seconds until the next look. Nothing to do costs one statement."""
    ends_at = time.monotonic() + SPELL
    running = execute(conn, detached())
    waits = [_drive(conn, number, ends_at) for number in running]
    return min(waits, default=LOOK_EVERY) * random.uniform(0.8, 1.0)


def _drive(conn: Connection, number: int, ends_at: float) -> float:
    while True:
        try:
            pause = operations.step(conn, number, most=MOST).pause
        except PgqueueError as error:
            # Its row was written by other hands, and says nothing that could be done.
            execute(conn, stop(number, str(error)))
            return LOOK_EVERY
        if pause is None:
            return LOOK_EVERY
        if time.monotonic() + pause >= ends_at:
            return max(pause, NEXT)
        time.sleep(pause)
