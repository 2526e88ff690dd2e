"""The settler: writes outcomes down, each kind in one statement of its own; successes mostly ride with a claim.

An outcome whose row is locked, as by a task that completed its job in a transaction and leaves that open, is set
aside: the others of its batch do not wait for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

import psycopg

from pgqueue.events import Finished
from pgqueue.leaving_out import HIDDEN
from pgqueue.outcome import Move, Reason, Settlement
from pgqueue.server_details import without_details
from pgqueue.store import Statement, durable, execute, jobs, locks, storable, unknown
from pgqueue.worker.claiming.outbox import Outbox
from pgqueue.worker.loop import Connection

Write = Callable[[int, Sequence[Settlement]], Statement[frozenset[UUID]]]

WRITES: tuple[tuple[frozenset[Move], Write], ...] = (
    (frozenset({Move.RETRY, Move.END}), jobs.fail),
    (frozenset({Move.FALL_BACK}), jobs.fall_back),
    (frozenset({Move.RELEASE}), jobs.release),
    (frozenset({Move.WAIT}), durable.suspend),
    (frozenset({Move.PARK}), unknown.park),
    (frozenset({Move.LATE}), jobs.late),
)


class Settled(NamedTuple):
    """What was written, as it was written, and the ids of those that were late."""

    batch: Sequence[Finished]
    late: frozenset[UUID]


def settle_others(conn: Connection, worker: int, settlements: Sequence[Settlement]) -> frozenset[UUID]:
    """Write failures, releases, late attempts, and successes that bring something along; answers the late ids.

    May be repeated after a lost reply: what the same token has written before is acknowledged.
    """
    late: frozenset[UUID] = frozenset()
    for moves, write in WRITES:
        batch = [settlement for settlement in settlements if settlement.move in moves]
        if batch:
            late |= execute(conn, write(worker, batch))
    # Each in a transaction of its own: what one brings does not hold up another.
    bringing = [settlement for settlement in settlements if settlement.move is Move.BRING]
    late |= frozenset(each.id for each in bringing if not execute(conn, jobs.succeed(worker, each)))
    if noted := [each for each in settlements if each.headers is not None and each.id not in late]:
        try:
            execute(conn, jobs.note_attempts(noted))
        except psycopg.Error as error:
            # Of no weight for the jobs: they are settled.
            if not was_refused(error):
                raise
    return late


def settle(conn: Connection, worker: int, batch: Sequence[Finished]) -> Settled:
    """Write outcomes of any kind, and claim nothing. May be repeated, as settle_others()."""
    batch = disbelieve(conn, worker, batch)
    settlements = [done.settlement for done in batch]
    late = settle_others(conn, worker, settlements)
    successes = [settlement for settlement in settlements if settlement.move is Move.SUCCEED]
    if successes:
        late |= execute(conn, jobs.step(worker, successes, [], timedelta(0), 0)).late
    return Settled(batch, late)


def settle_alone(conn: Connection, worker: int, done: Finished, error: Exception) -> Settled:
    """Write an outcome that was refused by itself with `error`, if it is known how; raises `error` if it is not.

    A result that no row can hold ends its job; texts that no row can hold are left out of a failure; an attempt's row
    that somebody wrote by hand is overwritten.
    """
    succeeds = done.settlement.move is Move.SUCCEED
    if succeeds and isinstance(error, psycopg.errors.UniqueViolation):
        if execute(conn, jobs.complete(done.claim, done.settlement.result)):
            return Settled([done], frozenset())
        return settle(conn, worker, [done])
    if (mended := _without_what_is_refused(conn, done.settlement, error)) is None:
        raise error
    return settle(conn, worker, [done._replace(settlement=mended)])


def disbelieve(conn: Connection, worker: int, batch: Sequence[Finished]) -> Sequence[Finished]:
    """The batch, with a failure in place of each attempt that took itself for late, and whose lease stands.

    A task may delete its job's own row, or change it, in the transaction that its success was to be written in. That
    was rolled back, and the job would wait for an outcome that nobody has.
    """
    doubtful = [done.settlement for done in batch if done.settlement.move is Move.LATE]
    if not doubtful:
        return batch
    standing = execute(conn, jobs.standing(worker, doubtful))
    return [
        done._replace(settlement=_not_late(done.settlement))
        if done.settlement.move is Move.LATE and done.claim.id in standing
        else done
        for done in batch
    ]


def set_aside_locked(conn: Connection, worker: int, outbox: Outbox, batch: Sequence[Finished]) -> frozenset[UUID]:
    """After a lock was waited for in vain: set aside the outcomes whose rows are locked; answers their jobs."""
    locked = execute(conn, locks.locked(worker, [done.claim.id for done in batch])) if batch else frozenset()
    outbox.set_aside(locked)
    return locked


def take_up_unlocked(conn: Connection, worker: int, outbox: Outbox) -> None:
    """Look after the outcomes that were set aside; waits for nobody."""
    if aside := outbox.aside:
        outbox.take_up(execute(conn, locks.locked(worker, aside)))


def is_lock_timeout(error: BaseException) -> bool:
    """Whether a lock was not to be had in LOCK_PATIENCE; nothing was done then."""
    return isinstance(error, psycopg.errors.LockNotAvailable)


def was_refused(error: BaseException) -> bool:
    """Whether PostgreSQL said so: nothing was done then. An answer that could not be read says nothing."""
    return isinstance(error, psycopg.Error) and error.sqlstate is not None


def given_up(settlement: Settlement, error: str, seconds: float) -> Settlement:
    """The end of a job whose outcome was refused for so long."""
    told = f"its outcome ({settlement.outcome}) was refused for {seconds:.0f} s: {_starred(error)}"
    return _dead(settlement, Reason.UNWRITABLE, "pgqueue.Unwritable", told)


def _without_what_is_refused(conn: Connection, settlement: Settlement, error: Exception) -> Settlement | None:
    """The settlement without the values of its own that no row can hold; None if it has none."""
    if settlement.move in (Move.SUCCEED, Move.BRING):
        if settlement.result is None:
            return None
        if not _is_forbidden(error) and not _spoils(conn, storable.result(settlement.result), error):
            return None
        message = f"its result could not be stored: {_told(error)}"
        return _dead(settlement, Reason.NOT_RETRIED, "pgqueue.Unstorable", message)
    texts = (settlement.error_type, settlement.error, settlement.traceback)
    if not any(texts) or not _spoils(conn, storable.texts(*texts), error):
        return None
    starred = tuple(text and _starred(text) for text in texts)
    if starred != texts and not _spoils(conn, storable.texts(*starred), error):
        error_type, told, traceback = starred
        return settlement._replace(error_type=error_type, error=told, traceback=traceback)
    return settlement._replace(
        error_type="pgqueue.UnstorableError", error=f"its error could not be stored: {_told(error)}", traceback=None
    )


def _told(error: Exception) -> str:
    return _starred(without_details(repr(error), error)[:200])


def _starred(text: str) -> str:
    """The text with stars for the dots of what was left out: not every encoding of a database has those dots."""
    return text.replace(HIDDEN[0], "*")


def _spoils(conn: Connection, alone: Statement[None], error: Exception) -> bool:
    """Whether these values are refused wherever they stand: not the row, the moment, or somebody's trigger."""
    if not _is_about_values(error):
        return False
    try:
        execute(conn, alone)
    except psycopg.Error as refused:
        return _is_about_values(refused)
    return False


def _is_forbidden(error: Exception) -> bool:
    """Whether a constraint on results does not want this one."""
    return isinstance(error, psycopg.errors.IntegrityError) and error.diag.table_name == "results"


def _is_about_values(error: BaseException) -> bool:
    state = error.sqlstate if isinstance(error, psycopg.Error) else None
    return state is not None and state.startswith(("22", "54"))


def _not_late(settlement: Settlement) -> Settlement:
    """The failure of an attempt whose row was not there in its own transaction, and is there otherwise."""
    return settlement._replace(
        move=Move.FALL_BACK if settlement.fallback else Move.RETRY if settlement.reason is None else Move.END,
        outcome="failed",
        error_type="pgqueue.errors.TransactionEnded",
        error="the task deleted or changed its own row of pgqueue.jobs in its transaction, which was rolled back",
    )


def _dead(settlement: Settlement, reason: Reason, error_type: str, error: str) -> Settlement:
    return Settlement(
        settlement.id, settlement.claim, Move.END, "failed", reason=reason, error_type=error_type, error=error
    )
