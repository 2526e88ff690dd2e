"""What workers count and say, and what people ask of that: tallies, depths, rates, causes, reports."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from pgqueue.cause import cause_of
from pgqueue.job import JobState
from pgqueue.job_log import Said
from pgqueue.job_progress import Progress
from pgqueue.store import (
    causes,
    dumps,
    execute,
    job_logs,
    listing,
    progress,
    rates,
    reports,
    tallies,
    worker_reports,
    workers,
)
from tests import factories

Conn = psycopg.Connection[Any]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def told_on(conn: Conn, worker: int) -> None:
    """A job says something, and its worker is asked where it is."""
    job = factories.enqueue(conn)
    assert execute(conn, job_logs.keep([Said(job, 1, 1, 1, 0.0, "info", "said")]))
    assert execute(conn, job_logs.said_by(job, 1, "info", 10))
    assert execute(conn, job_logs.tail(job, 10, job_logs.LAST, 1, "debug"))
    claim = factories.claim_one(conn, worker=worker, queue="far")
    for done in (1, 2):
        far = Progress(done, 3, "note", time.monotonic() - 3 + done)
        assert execute(conn, progress.note(worker, [(claim.id, claim.claim, far)])) == 1
    assert execute(conn, progress.of([claim.id]))
    assert execute(conn, progress.seen(claim.id))
    assert execute(conn, progress.watched())
    assert execute(conn, progress.checkpoint(claim, "1"))
    assert execute(conn, progress.checkpointed(claim.id))
    assert execute(conn, progress.unwatched())
    asked_at = execute(conn, dumps.ask(worker))
    assert asked_at is not None
    execute(conn, dumps.asked(worker))
    execute(conn, dumps.tell(worker, asked_at, "{}"))
    assert execute(conn, dumps.answer(worker, asked_at))
    assert execute(conn, dumps.latest(worker))


def seen_on(conn: Conn) -> None:
    """All is counted, made up, merged, noted and looked at."""
    worker = factories.enlist(conn)
    execute(conn, workers.heartbeat(worker, HOUR, '{"busy": 1}'))
    execute(conn, worker_reports.reports())
    now = execute(conn, reports.now())
    factories.fail(conn, factories.claim_one(conn, worker=worker), delay=None)
    told_on(conn, worker)
    cause = cause_of("a:b", "E", "no 7", None)
    row = {"queue": "q", "target": "a:b", "outcome": "failed", "n": 1, "cause": cause, "run": [1] * 25, "error": "no"}
    for days in (0, 1, 10, 100, 1000):
        minute = (datetime.now(UTC) - timedelta(days=days)).isoformat()
        execute(conn, tallies.append(json.dumps([{**row, "minute": minute}])))
    execute(conn, tallies.append_of(worker, 1, now, json.dumps([row]), last=False))
    conn.execute("delete from pgqueue.workers where id = %s", [worker])
    assert execute(conn, tallies.make_up(100))
    conn.execute("update pgqueue.duties set done_at = '2000-01-01'")
    assert execute(conn, tallies.note_depths()) is not None
    while execute(conn, tallies.merge(50)):
        pass
    execute(conn, tallies.timings(now - DAY))
    execute(conn, tallies.throughput(now - DAY, now))
    execute(conn, tallies.depths(now - DAY, now + HOUR))
    execute(conn, tallies.depths(now - DAY, now + HOUR, queue="q"))
    execute(conn, tallies.entered(HOUR))
    execute(conn, rates.rates())
    execute(conn, causes.find(100))
    execute(conn, causes.listed())
    execute(conn, causes.one(cause))
    execute(conn, causes.new(DAY, 5))
    assert execute(conn, causes.matching(cause[:6], 2)) == [cause]
    assert listing.page(conn, listing.Asked(states=frozenset({JobState.DEAD}), cause=cause))
    for said in (
        causes.describe(cause, title="t"),
        causes.mute(cause, DAY),
        causes.resolve(cause, "r"),
        causes.reopen(cause),
    ):
        assert execute(conn, said)
