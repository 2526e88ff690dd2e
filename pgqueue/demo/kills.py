"""The kills: a child process, then a whole worker, each in the middle of a job's transaction.

To hit for certain, a lock holds the table that every job writes to until all children wait for it: some milliseconds.
Whoever is killed then has read its file and sent its counts, and has not committed.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from pgqueue.demo.example import Conn
from pgqueue.demo.workers import Workers
from pgqueue.process_tree import children_of

# At which share of the documents; early, so that the lease of the killed worker ends while others still work.
CHILD_AT, WORKER_AT = 0.15, 0.30
# Longer than this nobody is held up; the next look tries again.
HOLD_LIMIT = 0.5

WAITING = "select count(*) from pg_locks where relation = 'word_counts'::regclass and not granted"
# Of the worker with this pid: how many jobs it has. No row once its lease has ended and others took them back.
HELD = """
select (select count(*) from pgqueue.jobs as job where job.worker = worker.id)
from pgqueue.workers as worker where worker.pid = %s
"""


class Kills:
    """Kills when the time has come, and watches what becomes of the jobs of the killed worker."""

    def __init__(self, conn: Conn, workers: Workers) -> None:
        self._conn = conn
        self._workers = workers
        self._pending = [(CHILD_AT, self._kill_child), (WORKER_AT, self._kill_worker)]
        self._killed: int | None = None

    @property
    def done(self) -> bool:
        """Whether all kills have hit."""
        return not self._pending

    def look(self, share: float) -> str | None:
        """Kill if `share` of the documents calls for it; answers what happened."""
        if self._killed is not None and self._held_by(self._killed) is None:
            said = f"the lease of worker {self._killed} has ended: its jobs were taken back, others run them"
            self._killed = None
            return said
        if not self._pending or share < self._pending[0][0]:
            return None
        with _held_up(self._conn, len(self._workers.running) * self._workers.children_each) as caught:
            done = self._pending[0][1]() if caught else None
        if done:
            self._pending.pop(0)
        return done

    def _kill_child(self) -> str | None:
        victim = self._workers.running[0]
        children = children_of(victim.pid)
        if not children:
            return None
        os.kill(children[0], signal.SIGKILL)
        return f"SIGKILL to child process {children[0]} of worker {victim.pid}, in the middle of a job"

    def _kill_worker(self) -> str | None:
        victim = self._workers.running[-1]
        self._workers.kill(victim)
        self._killed = victim.pid
        fresh = self._workers.start()
        jobs = self._held_by(victim.pid)
        return f"SIGKILL to worker {victim.pid} with {jobs} jobs in its hands; worker {fresh.pid} takes its place"

    def _held_by(self, pid: int) -> int | None:
        """How many jobs a worker has; None if it is gone, and its jobs with it."""
        row = self._conn.execute(HELD, [pid]).fetchone()
        return row[0] if row else None


@contextmanager
def _held_up(conn: Conn, children: int) -> Iterator[bool]:
    """Hold every job at its insert; answers whether all `children` are there. The end of the block lets them go on."""
    with conn.transaction():
        conn.execute(f"set local lock_timeout = '{HOLD_LIMIT * 1000:.0f}ms'")
        try:
            with conn.transaction():
                conn.execute("lock table word_counts in share mode")
        except psycopg.errors.LockNotAvailable:
            yield False
            return
        deadline = time.monotonic() + HOLD_LIMIT
        waiting = 0
        while waiting < children and time.monotonic() < deadline:
            time.sleep(0.002)
            (waiting,) = conn.execute(WAITING).fetchone() or (0,)
        yield waiting >= children
