"""Tasks that meet what a worker must know of: a host that fails, a signal to ignore, a limit to outstay."""

from __future__ import annotations

import errno
import os
import signal
import threading
import time

import psycopg

from pgqueue.retry import Fixed
from pgqueue.tasks import task


@task(retry=Fixed(0.05))
def find_disk_full() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@task(retry=Fixed(0.05))
def show_life(dsn: str, seconds: float) -> None:
    """Write signs of life to the table `signs`, by the database's clock; TERM ends it no sooner."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ends_at = time.monotonic() + seconds
    with psycopg.connect(dsn, autocommit=True) as conn:
        while time.monotonic() < ends_at:
            conn.execute("insert into signs values (%s, clock_timestamp())", [os.getpid()])
            time.sleep(0.01)


@task(retry=Fixed(0.05))
def outstay(seconds: float) -> None:
    """Run on, whatever is raised into it."""
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        try:
            time.sleep(0.05)
        except BaseException:
            continue


def use_up_threads() -> None:
    """From now on no thread can be started in this process."""
    threading.stack_size(1 << 47)
