"""Operations that nobody drives: bulk actions that were left to whoever is there, a batch at a time."""

from __future__ import annotations

import time
from collections.abc import Callable

from pgqueue.errors import PgqueueError
from pgqueue.operations.plan import Conn
from pgqueue.operations.steps import step
from pgqueue.store import execute
from pgqueue.store.operations import detached, stop

# Seconds between two looks while there is one, and of work in one look.
NEXT, SPELL = 0.5, 0.5
# Jobs of a batch: who drives has other things to do, too.
MOST = 100


def drive_detached(
    conn: Conn, pause: Callable[[float], object] = time.sleep, is_needed: Callable[[], bool] = lambda: True
) -> float | None:
    """Drive what is due for a moment: the seconds until the next look, None if nothing is to be driven.

    Nothing to do costs one statement. Nothing is driven unless `is_needed`, which is asked only if there is something.
    """
    running = execute(conn, detached())
    if not running:
        return None
    if not is_needed():
        return NEXT
    ends_at = time.monotonic() + SPELL
    waits = [_drive(conn, number, ends_at, pause) for number in running]
    return min((each for each in waits if each is not None), default=NEXT)


def _drive(conn: Conn, number: int, ends_at: float, pause: Callable[[float], object]) -> float | None:
    while True:
        try:
            wait = step(conn, number, most=MOST).pause
        except PgqueueError as error:
            # Its row was written by other hands, and says nothing that could be done.
            execute(conn, stop(number, str(error)))
            return None
        if wait is None:
            return None
        if time.monotonic() + wait >= ends_at:
            return max(wait, NEXT)
        pause(wait)
