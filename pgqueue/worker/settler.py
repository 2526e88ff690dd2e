"""The settler: writes down every outcome that is no plain success, each kind in one statement of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

import psycopg

from pgqueue.outcome import Move, Settlement
from pgqueue.store import Statement, execute, jobs
from pgqueue.worker.loop import Connection

Write = Callable[[int, Sequence[Settlement]], Statement[frozenset[UUID]]]

WRITES: tuple[tuple[frozenset[Move], Write], ...] = (
    (frozenset({Move.RETRY, Move.END}), jobs.fail),
    (frozenset({Move.RELEASE}), jobs.release),
    (frozenset({Move.LATE}), jobs.late),
)


def settle_others(conn: Connection, worker: int, settlements: Sequence[Settlement]) -> frozenset[UUID]:
    """Write failures, releases and late attempts; answers the ids that were late.

    May be repeated after a lost reply: what the same token has written before is acknowledged.
    """
    late: frozenset[UUID] = frozenset()
    for moves, write in WRITES:
        batch = [settlement for settlement in settlements if settlement.move in moves]
        if batch:
            late |= _write(conn, worker, batch, write)
    return late


def _write(conn: Connection, worker: int, batch: Sequence[Settlement], write: Write) -> frozenset[UUID]:
    try:
        return execute(conn, write(worker, batch))
    except psycopg.DataError as error:
        if len(batch) > 1:
            # One of them has values that PostgreSQL refuses: each on its own, so that it hurts no other.
            return frozenset().union(*(_write(conn, worker, [one], write) for one in batch))
        return execute(conn, write(worker, [_plain(batch[0], error)]))


def _plain(settlement: Settlement, error: psycopg.DataError) -> Settlement:
    return settlement._replace(
        error_type="pgqueue.UnstorableError", error=f"its error could not be stored: {error!r:.200}", traceback=None
    )
