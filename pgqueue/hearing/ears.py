"""The ears of this process in one database: a thread that hears what ends, and wakes those who wait for it.

It begins with the first who waits, and ends with its connection when nobody has waited for a while: until then workers
notify, and the database cannot be dropped. Whatever breaks it, those who wait are woken to look by themselves.
"""

from __future__ import annotations

import logging
import os
import random
import select
import threading
import time
from collections import defaultdict
from collections.abc import Collection, Iterable
from contextlib import closing, suppress
from typing import Any

import psycopg

from pgqueue.hearing.line import Line
from pgqueue.hearing.place import Place, dsn_of
from pgqueue.hearing.waiter import Waiter, ring
from pgqueue.self_test import SelfTest
from pgqueue.store.connection import open_connection
from pgqueue.store.outages import in_words

# Seconds that it stays when nobody waits: DROP DATABASE gives others 5 to leave.
LINGER = 2.0
# It hears within so many seconds that nobody waits any more.
TURN = 1.0
# For a statement of its own; a link that went silent is found out by the look of every second.
DEADLINE = 5.0
# Between attempts to connect, and at least between two wakings of everybody.
FIRST_AGAIN, LAST_AGAIN, WAKING = 0.05, 4.0, 0.5

_log = logging.getLogger("pgqueue.waiting")


class Ears:
    """Of one process. What waits is added before it looks at its jobs, so that no end falls between.

    `pace` is the seconds in which those who wait for many read what was heard so far; and in which a job notices that
    its time is up.
    """

    pace = 1.0

    def __init__(self, place: Place) -> None:
        self._place = place
        self._dsn = ""
        self._self_test = SelfTest()
        self._said: set[str] = set()
        self._woken_at = 0.0
        self._lock = threading.Lock()  # guards what follows
        self._waiters: dict[str, set[Waiter]] = defaultdict(set)
        self._empty_since = time.monotonic()
        self._thread: threading.Thread | None = None
        # Whether the thread believes that nobody waits.
        self._dozing = self._stopping = False
        # A pipe, while the thread runs: ends its wait.
        self._reader = self._writer = -1

    def add(self, waiter: Waiter) -> None:
        """Have it woken from now on, once the ears have begun."""
        with self._lock:
            for job_id in waiter.pending:
                self._waiters[job_id].add(waiter)

    def remove(self, waiter: Waiter, ids: Collection[str]) -> None:
        """It waits for these jobs no more."""
        with self._lock:
            for job_id in list(ids):
                waiter.pending.discard(job_id)
                self._waiters[job_id].discard(waiter)
                if not self._waiters[job_id]:
                    del self._waiters[job_id]
            self._empty_since = time.monotonic()

    def take(self, waiter: Waiter) -> set[str]:
        """Which of its jobs a waiter has to look at."""
        with self._lock:
            return waiter.take()

    def begin(self, conn: Any) -> bool:
        """See that the thread runs, on a connection like this one; False if it cannot."""
        with self._lock:
            if self._thread is not None:
                if self._dozing:
                    self._dozing = False
                    os.write(self._writer, b".")
                return True
            self._dsn = dsn_of(conn)
            thread = threading.Thread(target=self._run, name="pgqueue-waiting", daemon=True)
            try:
                self._reader, self._writer = os.pipe()
                thread.start()
            except (OSError, RuntimeError):
                # No file or thread to be had, or the interpreter ends.
                self._close_pipe()
                return False
            self._thread = thread
            return True

    def stop(self) -> None:
        """End the thread: this process ends."""
        with self._lock:
            thread, self._stopping = self._thread, True
            if thread is not None:
                os.write(self._writer, b".")
        if thread is not None:
            thread.join(timeout=0.5)

    def in_copy(self) -> None:
        """In a forked copy there is no thread, and the lock may be held by nobody who is there."""
        self._lock = threading.Lock()
        self._thread = None
        self._close_pipe()

    def _run(self) -> None:
        pause = FIRST_AGAIN
        while not self._is_over():
            try:
                with closing(open_connection(self._dsn, "waiting", deadline=DEADLINE)) as conn:
                    line = Line(conn, self._self_test)
                    self._said.discard("lost")
                    self._wake_all()
                    while not self._is_over():
                        self._turn(line)
                        pause = FIRST_AGAIN
                    return
            except (
                Exception
            ) as error:  # All who wait depend on this thread: whatever it is, it is told and tried again.
                if self._is_over(linger=0.0):
                    return
                self._say("lost", f"nothing is heard: {in_words(error)}; who waits looks by itself")
            if time.monotonic() - self._woken_at >= WAKING:
                self._wake_all()
            self._wait(None, pause * random.uniform(0.5, 1.0))
            pause = min(LAST_AGAIN, 2 * pause)

    def _is_over(self, linger: float = LINGER) -> bool:
        """Whether the thread is to end, which it then must do: another one may begin."""
        with self._lock:
            lonely = not self._waiters and time.monotonic() - self._empty_since >= linger
            if lonely or self._stopping:
                self._thread = None
                self._close_pipe()
                return True
            return False

    def _turn(self, line: Line) -> None:
        if line.deaf is not None:
            self._say(
                "deaf", f"{line.deaf}; ends are looked for, every 0.25 s at most: a direct connection is told at once"
            )
        line.test()
        with self._lock:
            self._dozing = not self._waiters
        if self._dozing:
            line.hurry()
        self._wait(line.conn, TURN / 2 if self._dozing else min(TURN, line.due_in()))
        self._tell(line.heard())
        if line.is_to_look and not self._dozing:
            with self._lock:
                ids = list(self._waiters)
            for ended in line.look(ids):
                self._tell(ended)
        if line.missed:
            line.missed = False
            self._wake_all()

    def _wait(self, conn: psycopg.Connection[Any] | None, seconds: float) -> None:
        # Not select(): it takes no file beyond the 1,024th, and a server may have as many.
        poll = select.poll()
        for each in (self._reader, *(() if conn is None else (conn.fileno(),))):
            poll.register(each, select.POLLIN)
        if self._reader in dict(poll.poll(int(seconds * 1000) + 1)):
            os.read(self._reader, 4096)

    def _tell(self, ids: Iterable[str]) -> None:
        with self._lock:
            woken = {
                waiter
                for job_id in ids
                if job_id in self._waiters
                for waiter in self._waiters[job_id]
                if waiter.hear(job_id)
            }
        ring(woken)

    def _wake_all(self) -> None:
        self._woken_at = time.monotonic()
        with self._lock:
            woken = {waiter for waiters in self._waiters.values() for waiter in waiters}
            for waiter in woken:
                waiter.doubt()
        ring(woken)

    def _say(self, what: str, text: str) -> None:
        if what not in self._said:
            self._said.add(what)
            _log.warning("result() and wait_many() in %s: %s", self._place, text)

    def _close_pipe(self) -> None:
        reader, writer, self._reader, self._writer = self._reader, self._writer, -1, -1
        for each in (reader, writer):
            if each >= 0:
                with suppress(OSError):
                    os.close(each)
