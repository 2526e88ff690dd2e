"""What looks on: headers of jobs, and what is asked for machines."""

from __future__ import annotations

from typing import Any

import psycopg

from pgqueue.store import enqueueing, execute, jobs, metrics
from tests import factories

Conn = psycopg.Connection[Any]
HEADERS = '{"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}'


def headed_on(conn: Conn) -> None:
    """Headers are noted behind an enqueue; and slots are asked for, as by an autoscaler."""
    job = factories.enqueue(conn, unique_key="headed", queue="kept")
    execute(conn, enqueueing.note_headers([job], [HEADERS]))
    assert execute(conn, jobs.headers([job])) == {job: HEADERS}
    row = conn.execute("select pgqueue.wanted_slots('kept', '30 s')").fetchone()
    assert row is not None
    assert row[0] > 0


def looked_on(conn: Conn) -> None:
    """An attempt notes itself, and a scraper asks."""
    taken = factories.claim_one(conn, queue="looked")
    factories.fail(conn, taken, 60.0)
    execute(conn, jobs.note_attempts([factories.failure(taken)._replace(headers=HEADERS)]))
    assert execute(conn, jobs.headers([taken.id])) == {taken.id: HEADERS}
    assert execute(conn, metrics.numbers())
    assert execute(conn, metrics.paces(["default", "none"]))
