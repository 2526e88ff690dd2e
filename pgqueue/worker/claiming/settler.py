"""The settler: writes down every outcome that cannot ride with a step, each kind in one statement of its own.

An outcome whose row is locked, as by a task that completed its job in a transaction and leaves that open, is set
aside: the others of its batch do not wait for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from uuid import UUID

import psycopg

from pgqueue.events import Finished
from pgqueue.outcome import Move, Reason, Settlement
from pgqueue.store import Statement, execute, jobs, locks, unknown
from pgqueue.worker.claiming.outbox import Outbox
from pgqueue.worker.loop import Connection

Write = Callable[[int, Sequence[Settlement]], Statement[frozenset[UUID]]]

WRITES: tuple[tuple[frozenset[Move], Write], ...] = (
    (frozenset({Move.RETRY, Move.END}), jobs.fail),
    (frozenset({Move.RELEASE}), jobs.release),
    (frozenset({Move.PARK}), unknown.park),
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


def disbelieve(conn: Connection, worker: int, batch: list[Finished]) -> list[Finished]:
    """The batch, with a failure in place of each attempt that took itself for late, and whose lease stands.

    A task may delete its job's own row, or change it, in the transaction that its success was to be written in. That
    was rolled back, and the job would wait for an outcome that nobody has.
    """
    doubtful = [done.settlement for done in batch if done.settlement.move is Move.LATE]
    standing = execute(conn, jobs.standing(worker, doubtful)) if doubtful else frozenset()
    return [
        done._replace(settlement=_not_late(done.settlement))
        if done.settlement.move is Move.LATE and done.claim.id in standing
        else done
        for done in batch
    ]


def settle_each(conn: Connection, worker: int, batch: Sequence[Finished]) -> tuple[list[Finished], frozenset[UUID]]:
    """Write each success on its own, after a step refused them together; answers the batch, and the ids that were late.

    A result that cannot be stored ends its own job; an attempt's row that somebody wrote by hand is overwritten.
    """
    written: list[Finished] = []
    late: frozenset[UUID] = frozenset()
    for done in batch:
        if done.settlement.move is Move.SUCCEED:
            try:
                late |= execute(conn, jobs.step(worker, [done.settlement], [], timedelta(0), 0)).late
            except psycopg.errors.UniqueViolation:
                if not execute(conn, jobs.complete(done.claim, done.settlement.result)):
                    late |= execute(conn, jobs.step(worker, [done.settlement], [], timedelta(0), 0)).late
            except psycopg.Error as error:
                if not refuses_values(error):
                    raise
                done = done._replace(settlement=_unstorable(done.settlement, error))
                late |= execute(conn, jobs.fail(worker, [done.settlement]))
        written.append(done)
    return written, late


def set_aside_locked(conn: Connection, worker: int, outbox: Outbox, batch: Sequence[Finished]) -> bool:
    """After a lock was waited for in vain: set aside the outcomes whose rows are locked; whether there are any."""
    locked = execute(conn, locks.locked(worker, [done.claim.id for done in batch])) if batch else frozenset()
    outbox.set_aside(locked)
    return bool(locked)


def take_up_unlocked(conn: Connection, worker: int, outbox: Outbox) -> None:
    """Look after the outcomes that were set aside; waits for nobody."""
    if aside := outbox.aside:
        outbox.take_up(execute(conn, locks.locked(worker, aside)))


def is_lock_timeout(error: BaseException) -> bool:
    """Whether a lock was not to be had in LOCK_PATIENCE; nothing was done then."""
    return isinstance(error, psycopg.errors.LockNotAvailable)


def refuses_values(error: BaseException) -> bool:
    """Whether PostgreSQL would refuse the same values again: they are wrong (22, 23), or too large (54, XX)."""
    state = error.sqlstate if isinstance(error, psycopg.Error) else None
    return state is not None and state.startswith(("22", "23", "54", "XX"))


def was_refused(error: BaseException) -> bool:
    """Whether PostgreSQL said so: nothing was done then. An answer that could not be read says nothing."""
    return isinstance(error, psycopg.Error) and error.sqlstate is not None


def _write(conn: Connection, worker: int, batch: Sequence[Settlement], write: Write) -> frozenset[UUID]:
    try:
        return execute(conn, write(worker, batch))
    except psycopg.Error as error:
        if not refuses_values(error):
            raise
        if len(batch) > 1:
            # One of them has values that PostgreSQL refuses: each on its own, so that it hurts no other.
            return frozenset().union(*(_write(conn, worker, [one], write) for one in batch))
        return execute(conn, write(worker, [_plain(batch[0], error)]))


def _not_late(settlement: Settlement) -> Settlement:
    """The failure of an attempt whose row was not there in its own transaction, and is there otherwise."""
    return settlement._replace(
        move=Move.RETRY if settlement.reason is None else Move.END,
        outcome="failed",
        error_type="pgqueue.errors.TransactionEnded",
        error="the task deleted or changed its own row of pgqueue.jobs in its transaction, which was rolled back",
    )


def _unstorable(settlement: Settlement, error: psycopg.Error) -> Settlement:
    message = f"its result could not be stored: {error!r:.200}"
    return Settlement(
        settlement.id,
        settlement.claim,
        Move.END,
        "failed",
        reason=Reason.NOT_RETRIED,
        error_type="pgqueue.Unstorable",
        error=message,
    )


def _plain(settlement: Settlement, error: psycopg.Error) -> Settlement:
    return settlement._replace(
        error_type="pgqueue.UnstorableError", error=f"its error could not be stored: {error!r:.200}", traceback=None
    )
