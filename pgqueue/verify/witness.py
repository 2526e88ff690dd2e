"""The witness of an attempt: what it does is written to the ledger, on a connection of its own."""

from __future__ import annotations

import os
import threading
from typing import Any

import psycopg

from pgqueue.context import current_job
from pgqueue.database import dsn_of
from pgqueue.ledger import First
from pgqueue.store.connection import open_async_connection, open_connection

Conn = psycopg.Connection[Any]
AsyncConn = psycopg.AsyncConnection[Any]

START = """
insert into verify.starts (job_id, claim, worker, attempt, run_at, pid, asked)
values (%s, %s, %s, %s, %s, %s, (select count(*) from verify.asked where job_id = %s and not again))
"""
END = "insert into verify.ends (job_id, claim, what, wait) values (%s, %s, %s, %s)"
LATER = "select count(*) from verify.starts where job_id = %s and claim > %s"
SENT = "insert into verify.sent (key, job_id, claim) values (%s, %s, %s)"
TOLD = "insert into verify.told_of (key, job_id, was) values (%s, %s, %s)"
SAID = "select count(*) from verify.ends where job_id = %s and what = %s"


class Witness:
    """Writes what the running attempt does to the ledger, each row committed at once; made when the task begins."""

    def __init__(self) -> None:
        self._execute(START, token_and_due())

    def say(self, what: str, wait: float | None = None) -> None:
        """The attempt is about to do this; the next one is due `wait` seconds later."""
        self._execute(END, [*token(), what, wait])

    def sends(self, key: str) -> None:
        """The attempt does what is to be done once."""
        self._execute(SENT, [key, *token()])

    def was_told(self, key: str, first: First) -> None:
        """What the attempt was told about that."""
        was = "first" if first else "unknown" if first.is_unknown else "done"
        self._execute(TOLD, [key, current_job().id, was])

    def has_said(self, what: str) -> bool:
        """Whether any attempt of the job has said it."""
        (count,) = self._execute(SAID, [current_job().id, what]).fetchone() or (0,)
        return bool(count)

    def is_replaced(self) -> bool:
        """Whether a later attempt of the job has begun."""
        (count,) = self._execute(LATER, token()).fetchone() or (0,)
        return bool(count)

    def _execute(self, query: str, values: list[Any]) -> psycopg.Cursor[Any]:
        link: Link | None = getattr(_own, "link", None)
        if link is None or link.conn.closed:
            link = _own.link = Link(open_connection(own_dsn(), "verify"))
        conn = link.conn
        try:
            return conn.execute(query, values)
        except BaseException:
            # Also if its time is up in the middle.
            conn.close()
            raise


class Link:
    """A thread's connection, which ends with the thread."""

    def __init__(self, conn: Conn) -> None:
        self.conn = conn

    def __del__(self) -> None:
        self.conn.close()


# Each thread has one of its own.
_own = threading.local()


async def async_connection() -> AsyncConn:
    """A connection beside the job's own, for coroutines."""
    return await open_async_connection(own_dsn(), "verify")


def own_dsn() -> str:
    """Where this worker's jobs live."""
    return dsn_of(None, "the verifier")


def token() -> list[Any]:
    """Job and claim number of the running attempt."""
    # Tasks need no token, so the context offers none; the checks do.
    claim = current_job()._claim
    return [claim.id, claim.claim]


def token_and_due() -> list[Any]:
    """The row of a start."""
    claim = current_job()._claim
    return [claim.id, claim.claim, claim.worker, claim.attempt, claim.run_at, os.getpid(), claim.id]
