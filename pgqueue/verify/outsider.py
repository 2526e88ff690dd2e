"""The outsider: code outside of jobs that takes shares of the limits that jobs are under, and gives them back."""

from __future__ import annotations

import random
import threading
from typing import Any

import psycopg

from pgqueue.errors import DatabaseUnreachable
from pgqueue.store.connection import open_connection
from pgqueue.verify.limiting import SHARES
from pgqueue.verify.tally import Tally

Conn = psycopg.Connection[Any]

# Longer than any outage: what a lost connection leaves behind is given back by its number.
LEASE = 300.0
PAUSE = 0.3
HOLD = "select seq from pgqueue.hold(%s, %s)"
LET_GO = "select pgqueue.let_go_of(%s, %s)"
LET_GO_OF_ALL = "select pgqueue.let_go_of(substr(name, 3), seq) from pgqueue.holds where job_id is null"


class Outsider:
    """Holds a share of some key for a moment, again and again, straight at the database."""

    def __init__(self, dsn: str, seed: int, tally: Tally) -> None:
        self._dsn = dsn
        self._dice = random.Random(f"{seed} outsider")
        self._tally = tally

    def work(self, stopping: threading.Event) -> None:
        """Share after share, until `stopping`; none is left then."""
        is_clean = False
        while not (stopping.is_set() and is_clean):
            is_clean = False
            try:
                with open_connection(self._dsn, "verify") as conn:
                    # Whether a hold came about whose reply was lost, nobody has said.
                    conn.execute(LET_GO_OF_ALL)
                    is_clean = True
                    while not stopping.wait(self._dice.uniform(0, 2 * PAUSE)):
                        is_clean = False
                        self._hold(conn, stopping)
                        is_clean = True
            except (DatabaseUnreachable, psycopg.OperationalError):
                stopping.wait(PAUSE)

    def _hold(self, conn: Conn, stopping: threading.Event) -> None:
        beginning, count = SHARES
        key = f"{beginning}{self._dice.randrange(count)}"
        (seq,) = conn.execute(HOLD, [key, LEASE]).fetchone() or (None,)
        if seq is None:
            self._tally.add("shares refused to code outside of jobs")
            return
        stopping.wait(self._dice.uniform(0, PAUSE))
        conn.execute(LET_GO, [key, seq])
        self._tally.add("shares held by code outside of jobs")
