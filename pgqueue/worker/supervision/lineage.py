"""Lineage: whether the server that a role has connected to goes on with the history that the last one told.

A standby that is promoted may lack the last commits, and a server can be set back to an earlier moment. Claims that
were made since are gone then, and claim numbers would be given out a second time: a worker that went on under its id
could issue a token twice, and two attempts of one job would both be believed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import psycopg

from pgqueue.store import execute, history
from pgqueue.store.outages import is_lost
from pgqueue.worker.loop import Connection


class Lineage:
    """Asked by each role that has connected anew, before it does anything; calls `changed(why)`, once."""

    def __init__(self, changed: Callable[[str], None]) -> None:
        self._changed = changed
        self._lock = threading.Lock()  # guards _known
        self._known: str | None = None

    def check(self, conn: Connection) -> None:
        """Compare the server's history with the one that is known."""
        try:
            told = execute(conn, history.timeline())
        except psycopg.Error as error:
            if is_lost(conn, error):
                raise
            # Not every service lets everybody ask. What was claimed twice is found by HeldClaims all the same.
            return
        if told is None:
            return
        with self._lock:
            before, self._known = self._known, told
        if before is not None and before != told:
            self._changed(f"the database goes on with another history ({told}, before {before})")
