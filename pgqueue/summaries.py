"""A database in one line: how much waits in it, how it gets on, and who works there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg

from pgqueue.errors import PgqueueError
from pgqueue.store import alerts, execute, queues, workers
from pgqueue.store.looking import LONGER, look
from pgqueue.store.queues import QueueStats

# Queues of which all are looked at; of more the fullest.
MOST = 60
# Jobs that are counted before the rest is estimated.
MOST_COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class Summary:
    """What there is in all queues together; `is_all` is whether all were looked at, or the fullest alone.

    `oldest_ready_age` is that of queues that are not paused. `slots` are those of the workers that are alive; a worker
    of several databases has the same ones in each.
    """

    queues: int
    is_all: bool
    ready: int
    scheduled: int
    running: int
    retrying: int
    dead: int
    oldest_ready_age: timedelta | None
    workers: int
    slots: int
    alerts: int


def summary(conn: psycopg.Connection[Any]) -> Summary:
    """The summary of one database. Raises PgqueueError if it takes too long."""
    found = look(conn, _queues, LONGER)
    if found is None:
        raise PgqueueError("the jobs could not be looked at in time: it is busy, or a table is locked")
    rows, is_all = found
    alive = [worker for worker in execute(conn, workers.rows()) if worker.alive]
    ages = [row.oldest_ready_age for row in rows if row.oldest_ready_age is not None and not row.paused]
    return Summary(
        queues=len(rows),
        is_all=is_all,
        ready=sum(row.ready for row in rows),
        scheduled=sum(row.scheduled for row in rows),
        running=sum(row.running for row in rows),
        retrying=sum(row.retrying for row in rows),
        dead=sum(row.dead for row in rows),
        oldest_ready_age=max(ages, default=None),
        workers=len(alive),
        slots=sum(worker.concurrency for worker in alive),
        alerts=len(look(conn, lambda conn: execute(conn, alerts.listed())) or []),
    )


def _queues(conn: psycopg.Connection[Any]) -> tuple[list[QueueStats], bool]:
    names = execute(conn, queues.behind("", MOST + 1))
    is_all = len(names) <= MOST
    if not is_all:
        names = execute(conn, queues.fullest(MOST))
    return (execute(conn, queues.depths(names, MOST_COUNTED)).queues if names else []), is_all
