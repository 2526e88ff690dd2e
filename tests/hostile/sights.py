"""What people and machines ask of single jobs and queues: reasons, numbers for others, traces."""

from __future__ import annotations

from typing import Any

import psycopg

import pgqueue
from pgqueue.store import enqueueing, execute, explaining, jobs, metrics, searching, showing
from tests import factories

Conn = psycopg.Connection[Any]


def reasons_on(conn: Conn) -> None:
    """A job and a queue are looked at, and all queues by machines."""
    job = factories.enqueue(conn)
    execute(conn, explaining.job(job))
    execute(conn, explaining.queue("default"))
    execute(conn, searching.jobs_of([job]))
    execute(conn, showing.shown(job))
    execute(conn, metrics.numbers())
    execute(conn, metrics.paces(["q"]))
    conn.execute("select pgqueue.wanted_slots('q', '30 s')")


def traces_on(conn: Conn) -> None:
    """Jobs and attempts carry headers."""
    job = pgqueue.enqueue(conn, factories.TARGET).id
    execute(conn, enqueueing.note_headers([job], ['{"traceparent": "00"}']))
    execute(conn, jobs.headers([job]))
    taken = factories.claim_one(conn)
    execute(conn, jobs.note_attempts([factories.failure(taken)]))
