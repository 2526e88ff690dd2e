"""The producers: their transactions commit, roll back, or are cut off at their COMMIT and then repeated."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import UUID

import psycopg

from pgqueue.enqueued import Enqueued
from pgqueue.errors import DatabaseUnreachable
from pgqueue.ids import new_job_id
from pgqueue.store.connection import open_connection
from pgqueue.store.outages import is_lost
from pgqueue.verify.asking import ask, ask_at_once
from pgqueue.verify.proxy import Proxy
from pgqueue.verify.tally import Tally
from pgqueue.verify.workload import CUTS, Batch, Fate

Conn = psycopg.Connection[Any]

# After an error of the connection, and while there are too many jobs.
PAUSE = 0.2


class Producer:
    """Asks for the jobs of `batches` through `proxy`, while they are not `crowded()`.

    `known` is what it knows of its own transactions: the ids of jobs, and whether they committed.
    """

    def __init__(
        self, dsn: str, proxy: Proxy, batches: Iterable[Batch], tally: Tally, crowded: Callable[[], bool]
    ) -> None:
        self.known: dict[UUID, bool] = {}
        self._dsn = dsn
        self._proxy = proxy
        self._batches = batches
        self._tally = tally
        self._crowded = crowded
        self._conn: Conn | None = None

    def work(self, stopping: threading.Event) -> None:
        """Transaction after transaction, until `stopping`."""
        try:
            for batch in self._batches:
                while self._crowded() and not stopping.is_set():
                    stopping.wait(PAUSE)
                if stopping.is_set():
                    return
                self._carry_out(batch, stopping)
                stopping.wait(batch.pause)
        finally:
            self._close()

    def _carry_out(self, batch: Batch, stopping: threading.Event) -> None:
        # Only a call with an id of its own can be repeated.
        given = [new_job_id() if batch.fate in CUTS else None for _ in batch.pieces]
        asked = self._ask(batch, given)
        if asked is not None:
            stopping.wait(batch.dwell)
        if asked is None:
            # COMMIT was never said.
            self._know([job_id for job_id in given if job_id], False)
        elif batch.fate is Fate.ROLLBACK:
            self._roll_back(asked)
        elif self._commit(asked, batch.fate):
            return
        elif batch.fate in CUTS:
            self._tally.add("COMMITs cut off")
            self._repeat(batch, given, stopping)
        else:
            self._tally.add("COMMITs cut off by other faults")

    def _repeat(self, batch: Batch, given: Sequence[UUID | None], stopping: threading.Event) -> None:
        """Until it is known that it committed."""
        while not stopping.is_set():
            asked = self._ask(batch, given)
            if asked is not None and self._commit(asked, Fate.COMMIT):
                happened = any(
                    not each.created and each.id == job_id for each, job_id in zip(asked, given, strict=True)
                )
                self._tally.add("COMMITs cut off that had happened" if happened else "COMMITs cut off that had not")
                return
            stopping.wait(PAUSE)

    def _ask(self, batch: Batch, given: Sequence[UUID | None]) -> list[Enqueued] | None:
        """Ask for the batch's jobs in a new transaction, left open; None if the connection was lost over it."""
        try:
            if self._conn is None:
                self._conn = open_connection(self._dsn, "verify", autocommit=False)
            if batch.undone:
                self._conn.execute("savepoint undone")
                made = _created(ask(self._conn, batch.undone, [None] * len(batch.undone)))
                self._conn.execute("rollback to undone")
                self._tally.add("savepoints rolled back")
                self._know(made, False)
            asked = (ask_at_once if batch.at_once else ask)(self._conn, batch.pieces, given)
        except (psycopg.Error, DatabaseUnreachable) as error:
            self._lose(error)
            return None
        keys = [piece.options.get("unique_key") for piece in batch.pieces]
        taken = [each for each, key, job_id in zip(asked, keys, given, strict=True) if key and each.id != job_id]
        self._tally.add("unique keys that were taken", sum(not each.created for each in taken))
        return asked

    def _commit(self, asked: Sequence[Enqueued], fate: Fate) -> bool:
        """Whether it is known to have committed."""
        assert self._conn is not None
        try:
            if fate in CUTS and (link := self._proxy.link_of(_port_of(self._conn))):
                # The next that goes through the proxy is the COMMIT.
                link.fate = fate
            self._conn.commit()
        except psycopg.Error as error:
            self._lose(error)
            return False
        self._know(_created(asked), True)
        return True

    def _roll_back(self, asked: Sequence[Enqueued]) -> None:
        assert self._conn is not None
        try:
            self._conn.rollback()
        except psycopg.Error as error:
            self._lose(error)
        self._tally.add("transactions rolled back")
        self._know(_created(asked), False)

    def _know(self, job_ids: Iterable[UUID], committed: bool) -> None:
        self.known.update(dict.fromkeys(job_ids, committed))

    def _lose(self, error: Exception) -> None:
        """Give the connection up. Raises what was not its own fault."""
        lost = is_lost(self._conn, error)
        self._close()
        # 40001: a repeated call met the very end of its job; PostgreSQL asks for another try.
        if not lost and not isinstance(error, psycopg.errors.SerializationFailure):
            raise error

    def _close(self) -> None:
        if self._conn is not None:
            self._conn.close()
        self._conn = None


def _created(asked: Iterable[Enqueued]) -> list[UUID]:
    return [each.id for each in asked if each.created]


def _port_of(conn: Conn) -> int:
    with socket.socket(fileno=os.dup(conn.fileno())) as copy:
        port: int = copy.getsockname()[1]
        return port
