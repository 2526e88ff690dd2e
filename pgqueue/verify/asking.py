"""Asking for jobs: each enqueue and its row in the ledger, in the transaction open on the connection."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg

from pgqueue.client import enqueue, enqueue_many
from pgqueue.enqueued import Enqueued
from pgqueue.verify import tasks
from pgqueue.verify.workload import Piece

Conn = psycopg.Connection[Any]

ASKED = """
insert into verify.asked (job_id, created, kind, fails, unique_key, unique_for, until_start, has_ttl, not_before, again)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
THERE = "select job_id from verify.asked where job_id = any (%s)"


def ask(conn: Conn, pieces: Sequence[Piece], given: Sequence[UUID | None]) -> list[Enqueued]:
    """Enqueue job by job, those with an id under it."""
    now = _clock(conn)
    return [_ask(conn, piece, job_id, now) for piece, job_id in zip(pieces, given, strict=True)]


def ask_at_once(conn: Conn, pieces: Sequence[Piece], given: Sequence[UUID | None]) -> list[Enqueued]:
    """Enqueue all by one call. It does not tell which of the given ids were there already; the ledger does."""
    now = _clock(conn)
    new = [
        getattr(tasks, piece.task).using(**piece.options, job_id=job_id).job(*piece.args)
        for piece, job_id in zip(pieces, given, strict=True)
    ]
    job_ids = enqueue_many(conn, new)
    # Afterwards: it has waited for the COMMIT of an earlier try, if that was still on its way.
    there = {job_id for (job_id,) in conn.execute(THERE, [[job_id for job_id in given if job_id is not None]])}
    done = [Enqueued(job_id, job_id not in there) for job_id in job_ids]
    for piece, each, job_id in zip(pieces, done, given, strict=True):
        _note(conn, piece, each, job_id, now)
    return done


def _ask(conn: Conn, piece: Piece, job_id: UUID | None, now: datetime) -> Enqueued:
    done = enqueue(conn, getattr(tasks, piece.task), piece.args, job_id=job_id, **piece.options)
    _note(conn, piece, done, job_id, now)
    return done


def _note(conn: Conn, piece: Piece, done: Enqueued, given: UUID | None, now: datetime) -> None:
    options = piece.options
    not_before = now + timedelta(seconds=options.get("delay", 0.0))
    key, window = options.get("unique_key"), options.get("unique_for")
    until_start = options.get("unique_until") == "start"
    again = not done.created and done.id == given
    conn.execute(ASKED, [*done, piece.kind, piece.fails, key, window, until_start, "ttl" in options, not_before, again])


def _clock(conn: Conn) -> datetime:
    """The database's time before the call: no run_at counts from an earlier one."""
    row = conn.execute(tasks.CLOCK).fetchone()
    assert row is not None
    now: datetime = row[0]
    return now
