"""Somebody who enqueues while the database fails, and knows afterwards what was committed."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

import psycopg

import pgqueue
from pgqueue.errors import DatabaseUnreachable
from pgqueue.store.connection import open_connection
from tests.worker.running import named


class Producer:
    """Enqueues through a failover: each job again, under the same id, until its COMMIT was acknowledged."""

    def __init__(self, dsn: str) -> None:
        self.made: list[UUID] = []
        self._dsn = dsn
        self._next = uuid4()
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> list[UUID]:
        """Enqueue no more; answers all that was committed."""
        self._ends.set()
        self._thread.join(60)
        assert not self._thread.is_alive()
        return self.made

    def _run(self) -> None:
        while not self._ends.is_set():
            # A connection that is lost is lost with its error; the next one finds the primary.
            with suppress(psycopg.Error, DatabaseUnreachable), open_connection(self._dsn, "producer") as conn:
                while not self._ends.is_set():
                    self._enqueue(conn)
            time.sleep(0.05)

    def _enqueue(self, conn: psycopg.Connection[Any]) -> None:
        number = len(self.made)
        with conn.transaction():
            if number % 2:
                pgqueue.enqueue(conn, named("effect"), [number], job_id=self._next)
            else:
                pgqueue.enqueue(conn, named("work"), [0.02], job_id=self._next)
        self.made.append(self._next)
        self._next = uuid4()
        time.sleep(0.005)
