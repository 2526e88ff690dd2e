"""The transaction of a transactional job, where it ends badly: whose fault that was, and what is put right."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from pgqueue.errors import LeaseLost, TransactionEnded
from pgqueue.outcome import Outcome, Signal, Suspended
from pgqueue.store.lender import Lender
from pgqueue.store.outages import is_refusal
from pgqueue.worker.attempts.call import Call
from pgqueue.worker.attempts.groups import members_of, of_one_kind
from pgqueue.worker.attempts.units import Stopped

# How long the server may take to end a query of a job that is out of time, seconds.
_CANCEL_TIMEOUT = 2.0
# Serialization failure, deadlock: PostgreSQL asks for the transaction to be run again.
_CONFLICTS = frozenset({"40001", "40P01"})
# An error of psycopg may be the cause of an ORM's, and that of another one.
_MOST_CAUSES = 5


class NoConnection(Exception):
    """A transactional job's connection was not to be had, or the server ended it: nothing it did there was kept."""


class Conflict(Exception):
    """PostgreSQL undid the transaction for the sake of another one, and may carry it out if it is run again."""


def end_query(conn: psycopg.Connection[Any]) -> None:
    """End what a job was waiting for when it was told: the server would go on with it, and keep its locks."""
    with suppress(psycopg.Error):
        if conn.info.transaction_status is TransactionStatus.ACTIVE:
            conn.cancel_safe(timeout=_CANCEL_TIMEOUT)


@contextmanager
def noting_end(call: Call, lender: Lender) -> Iterator[None]:
    """Tell apart why a success could not be committed: the lease was gone, the database went away, or the job's fault.

    A task could raise LeaseLost for reasons of its own.
    """
    try:
        yield
    except LeaseLost:
        call.context.late = True
        raise
    except psycopg.Error as error:
        excuse(call, lender, error, refused=is_refusal(error))
        raise


def excuse(call: Call, lender: Lender, error: BaseException, *, refused: bool = False) -> None:
    """Give the attempt back if the database ended it, and nobody else did."""
    if _stands(call, error):
        return
    if is_conflict(error):
        raise Conflict from error
    if refused or lender.was_ended(error):
        raise NoConnection from error


def is_conflict(error: BaseException) -> bool:
    """Whether the transaction was undone for the sake of another one; an ORM's error tells by its cause."""
    return any(_has_conflict(each) for each in members_of(error))


def swallowed(call: Call) -> Outcome:
    """The outcome after a middleware kept an exception to itself: success, but of no transaction, nor of a part."""
    if isinstance(call.raised, Stopped | Suspended):
        raise call.raised
    if call.task.transactional:
        raise TransactionEnded("a middleware swallowed the exception that had rolled the task's transaction back")
    return call.returned(None)


def _has_conflict(error: BaseException | None) -> bool:
    for _ in range(_MOST_CAUSES):
        if isinstance(error, psycopg.Error) and error.sqlstate in _CONFLICTS:
            return True
        error = error.__cause__ if error is not None else None
    return False


def _stands(call: Call, error: BaseException) -> bool:
    """Whether it counts all the same: the task chose its outcome, was told to end, or may begin but once."""
    return isinstance(of_one_kind(error), Signal) or call.told is not None or call.task.bounds.at_most_once
