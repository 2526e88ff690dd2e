"""Jobs that wait when a measurement begins, and the job behind them all that says when it is their end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pgqueue
from pgqueue.bench.arrivals import Arrivals
from pgqueue.bench.bare_enqueue import NOOP, copy
from pgqueue.bench.site import Conn, Site
from pgqueue.errors import PgqueueError
from pgqueue.store import execute, queues

REPORT = "pgqueue.bench.tasks:report"
NOOPS = {"async": "pgqueue.bench.tasks:nothing_async"}
# Nobody waits longer for the end of a drain.
LIMIT = 900.0
LEFT = "select exists (select from pgqueue.jobs)"


@dataclass(frozen=True, slots=True)
class Preloaded:
    """Waiting jobs, the queue paused until begin()."""

    conn: Conn
    arrivals: Arrivals

    def begin(self) -> None:
        """Let the workers at them."""
        execute(self.conn, queues.resume("default"))

    def await_end(self) -> None:
        """Until the last has ended. Raises PgqueueError if that takes too long."""
        deadline = time.monotonic() + LIMIT
        self.arrivals.await_one(LIMIT)
        while self.conn.execute(LEFT).fetchone() != (False,):
            if time.monotonic() > deadline:
                raise PgqueueError(f"the jobs did not end within {LIMIT:.0f} s")
            time.sleep(0.05)


@contextmanager
def preloaded(
    site: Site, count: int, executor: str, *, settle: bool = True, fill: Callable[[], object] | None = None
) -> Iterator[Preloaded]:
    """`count` no-op jobs that suit the executor, and behind them one that reports; then the table is vacuumed.

    `fill` enqueues other jobs in their place.
    """
    with site.connect() as conn, Arrivals() as arrivals:
        execute(conn, queues.pause("default"))
        if fill is not None:
            fill()
        elif count:
            copy(site.dsn, count, NOOPS.get(executor, NOOP))
        # The last of all: no worker that still has other work claims it.
        pgqueue.enqueue(conn, REPORT, [arrivals.address, count], priority=0)
        if settle:
            site.settle_down()
        yield Preloaded(conn, arrivals)


def ended(conn: Conn, count: int) -> float:
    """Seconds from the first start to the last end in the history. Raises PgqueueError unless each job ended once."""
    row = conn.execute(
        "select count(*), count(distinct job_id), extract(epoch from max(finished_at) - min(started_at))::float8"
        " from pgqueue.attempts where outcome = 'succeeded'"
    ).fetchone()
    assert row is not None
    if row[:2] != (count, count):
        raise PgqueueError(f"{row[0]} successes of {row[1]} jobs are in the history, not one of each of {count}")
    return float(row[2])
