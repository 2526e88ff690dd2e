"""A scheduler as a process of its own, which is killed before some of its COMMITs: `python -m tests.worker.firing`.

Its arguments: a DSN, and of how many transactions one ends with SIGKILL in place of COMMIT (0: none, 1: the first).
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time

import psycopg

from pgqueue.worker.upkeep.scheduler import Scheduler


def main(dsn: str, deadly: int) -> None:
    scheduler = Scheduler(lambda event: print(event, flush=True), 0.05)
    with psycopg.connect(dsn) as conn:
        while True:
            before = fired(conn)
            wait = scheduler.look(conn)
            if fired(conn) > before and deadly and random.randrange(deadly) == 0:
                print("fired", flush=True)
                os.kill(os.getpid(), signal.SIGKILL)
            conn.commit()
            time.sleep(min(wait, 0.05))


def fired(conn: psycopg.Connection[tuple[int]]) -> int:
    row = conn.execute("select count(*) from pgqueue.ticks").fetchone()
    assert row is not None
    return row[0]


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
