"""The ceilings of enqueue: what a bare psycopg client can put into the same table."""

from __future__ import annotations

import time
from typing import Any

import psycopg

from pgqueue.ids import new_job_id

NOOP = "pgqueue.bench.tasks:nothing"
INSERT = "insert into pgqueue.jobs (id, target, args) values ($1, $2, $3)"
WARM_UP = 50


def copy(dsn: str, count: int, target: str = NOOP) -> dict[str, Any]:
    """COPY into `jobs`, the lines made beforehand: the least that a job needs, all else by default."""
    lines = "".join(f"{new_job_id()}\t{target}\t[{number}]\n" for number in range(count))
    with psycopg.connect(dsn) as conn, conn.cursor() as cursor:
        began = time.perf_counter()
        with cursor.copy("copy pgqueue.jobs (id, target, args) from stdin") as out:
            out.write(lines)
        conn.commit()
        return {"count": count, "seconds": time.perf_counter() - began}


class Inserter:
    """The connection that a client of bare inserts keeps from `open` on."""

    def open(self, dsn: str) -> dict[str, Any]:
        """Connect, and warm up with a few rows."""
        self._conn = psycopg.connect(dsn, autocommit=True, cursor_factory=psycopg.RawCursor)
        for number in range(WARM_UP):
            self._insert(number)
        return {}

    def insert_one(self, seconds: float) -> dict[str, Any]:
        """One prepared insert after another, each a transaction of its own."""
        count = 0
        began = now = time.perf_counter()
        while now < began + seconds:
            self._insert(count)
            count += 1
            now = time.perf_counter()
        return {"count": count, "seconds": now - began}

    def _insert(self, number: int) -> None:
        self._conn.execute(INSERT, [new_job_id(), NOOP, f"[{number}]"], prepare=True)
