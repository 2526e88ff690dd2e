"""The ceiling of a drain: loops over one connection that claim, commit, settle and keep the history, and run nothing.

Which of them is the fastest, and at which batch, depends on the machine: all are tried, and the fastest is the ceiling.
Each claim is committed before the client has its rows, as a worker must have it before it starts a job; what does not
do so (delete, and remember) keeps no promise that a queue makes.
"""

from __future__ import annotations

import secrets
import select
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from psycopg import pq

from pgqueue.store import arrays, execute, jobs, workers
from pgqueue.store.jobs import Slot

LEASE = timedelta(hours=1)
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
NOBODY = b"00000000-0000-0000-0000-000000000000"

# As the functions of the protocol have it, so that no statistics can flip the plans.
SETTINGS = """
set plan_cache_mode = force_generic_plan; set enable_seqscan = off; set enable_bitmapscan = off;
set enable_sort = off; set jit = off
"""
HELD = """
  delete from pgqueue.jobs as job
  using (select told.id from unnest($1::uuid[]) as told (id) order by told.id) as done
  where job.id = done.id and job.worker = $2
  returning job.*
"""
ENDED = """
  insert into pgqueue.attempts (job_id, started_at, worker, claim, attempt, outcome, queue, target,
                                created_at, run_at, priority, max_attempts, args, labels, unique_key, limit_key)
  select id, started_at, worker, claim, attempt, 'succeeded', queue, target, created_at, run_at, priority,
         max_attempts, args, labels, unique_key, limit_key
  from held
"""
TAKEN = """
  update pgqueue.jobs set worker = $2, claim = claim + 1, attempt = attempt + 1, started_at = now()
  where ctid = any (array(
    select ctid from pgqueue.jobs
    where worker is null and queue = 'default' and priority = 5 and run_at <= now() and (run_at, id) > ($3, $4)
    order by run_at, id limit $5 for no key update skip locked))
  returning id, run_at, claim, target, args
"""
SETTLE = f"with held as ({HELD}) {ENDED}"
CLAIM = TAKEN.replace("$2", "$1").replace("$3", "$2").replace("$4", "$3").replace("$5", "$4")
SETTLE_AND_CLAIM = f"with held as ({HELD}), ended as ({ENDED}), taken as ({TAKEN}) select * from taken"


def bare_loop(dsn: str, kind: str, count: int, batch: int) -> dict[str, Any]:
    """One loop over all preloaded jobs. Raises RuntimeError unless each of them ended and stands in the history."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        began = time.perf_counter()
        LOOPS[kind](conn, batch)
        seconds = time.perf_counter() - began
        row = conn.execute("select count(*), (select count(*) from pgqueue.jobs) from pgqueue.attempts").fetchone()
    if row != (count, 0):
        raise RuntimeError(f"{row} are in the history and in jobs, not {(count, 0)}")
    return {"count": count, "seconds": seconds}


def _function(conn: psycopg.Connection[Any], batch: int) -> None:
    """The protocol's own function, one call a batch."""
    worker = secrets.randbits(62) + 1
    execute(conn, workers.enlist(worker, "bench", 1, None, "raw", 1, LEASE))
    statement = jobs.step(worker, [], [Slot("default", 5, BEGINNING, UUID(int=0))], timedelta(0), batch)
    values = list(statement.params)
    cursor = psycopg.RawCursor(conn)
    while rows := cursor.execute(statement.sql, values, binary=True).fetchall()[:-1]:
        values[1] = arrays.ids_as_text([row[0] for row in rows])
        values[2] = arrays.array_as_text([str(row[1]) for row in rows])
        # Where the next claim begins: behind the last of this one.
        values[7] = arrays.array_as_text([rows[-1][12].isoformat()])
        values[8] = arrays.ids_as_text([rows[-1][0]])
    execute(conn, workers.discharge(worker, clean=True))


def _one_statement(conn: psycopg.Connection[Any], batch: int) -> None:
    """Settle the last batch and claim the next in one statement of plain SQL."""
    flight = _Flight(conn, {b"both": SETTLE_AND_CLAIM})
    ids, after = b"{}", (b"-infinity", NOBODY)
    while True:
        flight.send(b"both", [ids, b"1", *after, str(batch).encode()])
        rows = flight.receive(b"both")
        if not rows:
            break
        ids, after = _array(rows), _last(rows)
    flight.close()


def _pipelined(conn: psycopg.Connection[Any], batch: int) -> None:
    """Two statements of plain SQL, the next claim always on its way while the client reads the last."""
    flight = _Flight(conn, {b"claim": CLAIM, b"settle": SETTLE})
    limit = str(batch).encode()
    flight.send(b"claim", [b"1", b"-infinity", NOBODY, limit])
    while rows := flight.receive(b"claim"):
        flight.send(b"claim", [b"1", *_last(rows), limit])
        flight.send(b"settle", [_array(rows), b"1"])
    flight.close()


LOOPS: dict[str, Callable[[psycopg.Connection[Any], int], None]] = {
    "function": _function,
    "one statement": _one_statement,
    "pipelined": _pipelined,
}

Row = Sequence[bytes]


def _array(rows: Sequence[Row]) -> bytes:
    return b"{" + b",".join([row[0] for row in rows]) + b"}"


def _last(rows: Sequence[Row]) -> tuple[bytes, bytes]:
    # The rows of an UPDATE come in no order.
    last = max(rows, key=lambda row: (row[1], row[0]))
    return last[1], last[0]


class _Flight:
    """Prepared statements sent below cursors, each a transaction of its own, their answers read in turn."""

    def __init__(self, conn: psycopg.Connection[Any], statements: dict[bytes, str]) -> None:
        # Times compare as their text does only if all are told alike.
        conn.execute("set timezone = 'UTC'")
        conn.execute(SETTINGS)
        self._libpq = conn.pgconn
        for name, sql in statements.items():
            result = self._libpq.prepare(name, sql.encode())
            if result.status != pq.ExecStatus.COMMAND_OK:
                raise RuntimeError(result.error_message.decode())
        self._libpq.nonblocking = 1
        self._libpq.enter_pipeline_mode()
        self._awaited: deque[bytes] = deque()

    def send(self, name: bytes, values: Sequence[bytes]) -> None:
        """Send it, and the end of its transaction."""
        self._libpq.send_query_prepared(name, values)
        self._libpq.pipeline_sync()
        self._awaited.append(name)
        while self._libpq.flush():
            select.select([self._libpq.socket], [self._libpq.socket], [])
            self._libpq.consume_input()

    def receive(self, name: bytes) -> list[Row]:
        """The rows of the next answer to that statement, committed. Raises RuntimeError if anything was refused."""
        while self._awaited.popleft() != name:
            self._answer()
        return self._answer()

    def _answer(self) -> list[Row]:
        rows: list[Row] = []
        while True:
            result = self._next()
            if result is None:
                continue
            if result.status == pq.ExecStatus.PIPELINE_SYNC:
                return rows
            if result.status not in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
                raise RuntimeError(result.error_message.decode())
            columns = range(result.nfields)
            rows = [[result.get_value(row, column) or b"" for column in columns] for row in range(result.ntuples)]

    def _next(self) -> Any:
        while self._libpq.is_busy():
            select.select([self._libpq.socket], [], [])
            self._libpq.consume_input()
        return self._libpq.get_result()

    def close(self) -> None:
        """Await what is still on its way, and leave the connection as it was."""
        while self._awaited:
            self._awaited.popleft()
            self._answer()
        self._libpq.exit_pipeline_mode()
        self._libpq.nonblocking = 0
