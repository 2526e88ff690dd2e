"""The human operator: cancels what waits and what runs, revives dead jobs, each with a note, and changes a limit."""

from __future__ import annotations

import random
import threading
from typing import Any

import psycopg

from pgqueue.client import cancel, retry
from pgqueue.errors import DatabaseUnreachable, JobNotFound
from pgqueue.job import JobState
from pgqueue.store.connection import open_connection
from pgqueue.verify import limiting
from pgqueue.verify.tally import Tally

Conn = psycopg.Connection[Any]

WAITING = "select id from pgqueue.jobs where worker is null order by id offset %s limit 1"
RUNNING = "select id from pgqueue.jobs where worker is not null order by id offset %s limit 1"
DEAD = "select id from pgqueue.dead_jobs where reason <> 'buried' or %s < 4 order by random() limit 1"
BURIED = "select claim, died_at from pgqueue.dead_jobs where id = %s for update"
HAND = "insert into verify.hands (job_id, what, answer, claim, died_at) values (%s, %s, %s, %s, %s)"
PAUSE = 0.25


class HumanOperator:
    """Meddles, straight at the database."""

    def __init__(self, dsn: str, seed: int, tally: Tally) -> None:
        self._dsn = dsn
        self._dice = random.Random(f"{seed} human")
        self._tally = tally

    def work(self, stopping: threading.Event) -> None:
        """Act after act, until `stopping`."""
        while not stopping.wait(PAUSE):
            try:
                with open_connection(self._dsn, "verify") as conn:
                    while not stopping.wait(self._dice.uniform(0, 2 * PAUSE)):
                        self._meddle(conn)
            except (DatabaseUnreachable, psycopg.OperationalError):
                continue

    def _meddle(self, conn: Conn) -> None:
        act = self._dice.choice((self._cancel_waiting, self._cancel_running, self._revive, self._hurry, self._relimit))
        try:
            with conn.transaction():
                done = act(conn)
        except JobNotFound:
            return
        if done:
            self._tally.add(done)

    def _cancel_waiting(self, conn: Conn) -> str | None:
        return self._cancel(conn, WAITING)

    def _cancel_running(self, conn: Conn) -> str | None:
        return self._cancel(conn, RUNNING)

    def _cancel(self, conn: Conn, which: str) -> str | None:
        # Seldom, or nothing would be left that succeeds.
        row = conn.execute(which, [self._dice.randrange(4)]).fetchone() if self._dice.random() < 0.4 else None
        if row is None:
            return None
        answer = cancel(conn, row[0])
        conn.execute(HAND, [row[0], "cancel", str(answer), None, None])
        return {
            JobState.CANCELLED: "waiting jobs cancelled by hand",
            JobState.RUNNING: "running jobs cancelled by hand",
        }.get(answer)

    def _revive(self, conn: Conn) -> str | None:
        row = conn.execute(DEAD, [self._dice.randrange(10)]).fetchone()
        dead = conn.execute(BURIED, row).fetchone() if row else None
        if row is None or dead is None:
            return None
        answer = retry(conn, row[0])
        conn.execute(HAND, [row[0], "retry", str(answer), *dead])
        return None if answer is JobState.DEAD else "dead jobs revived by hand"

    def _hurry(self, conn: Conn) -> str | None:
        row = conn.execute(WAITING, [self._dice.randrange(4)]).fetchone()
        if row is None:
            return None
        conn.execute(HAND, [row[0], "retry", str(retry(conn, row[0])), None, None])
        return "waiting jobs hurried by hand"

    def _relimit(self, conn: Conn) -> str | None:
        limiting.change(conn, self._dice.choice(limiting.FLUX_MOST))
        return "limits changed by hand"
