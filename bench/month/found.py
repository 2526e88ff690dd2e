"""What there is to ask for in a month: one job of each kind, a cause, a queue, a worker and so on."""

from __future__ import annotations

from typing import Any

from bench.shop import QUEUES, targets_of
from pgqueue.bench.site import Conn

_FOUND = {
    # Not of the first, so that it is still there when some were done meanwhile.
    "ready": "select id from pgqueue.jobs where queue = 'bulk' and priority = 5 and run_at < now() and lane is null"
    " order by run_at desc offset 1000 limit 1",
    # With all others of its queue and priority before it.
    "last": "select id from pgqueue.jobs where queue = 'bulk' and priority = 5 and run_at < now() and lane is null"
    " order by run_at desc limit 1",
    "later": "select id from pgqueue.jobs where queue = 'bulk' and priority = 5 and run_at > now() and lane is null"
    " order by run_at limit 1",
    "running": "select id from pgqueue.jobs where worker is not null order by id limit 1",
    "limited": "select id from pgqueue.jobs where lined and queue = 'bulk' and priority = 5"
    " order by lane, run_at limit 1",
    "ended": "select job_id from pgqueue.attempts order by job_id desc limit 1",
    "dead": "select id from pgqueue.dead_jobs order by id desc limit 1",
    # One of few, and the one with the most.
    "cause": "select cause from pgqueue.dead_jobs where cause is not null order by id limit 1",
    "worker": "select id from pgqueue.workers order by id limit 1",
    "operation": "select max(id) from pgqueue.operations",
    "alert": "select key from pgqueue.alerts where state = 'open' order by key limit 1",
    "feed": "select name from pgqueue.feeds limit 1",
    "workflow": "select id from pgqueue.workflows order by id desc limit 1",
}
_PLANS = "set enable_seqscan = off; set enable_bitmapscan = off; set jit = off; set enable_sort = off"


def found(conn: Conn) -> dict[str, Any]:
    """Their names and ids."""
    conn.execute(_PLANS)
    rows = {name: conn.execute(question).fetchone() for name, question in _FOUND.items()}
    ids = {name: row[0] for name, row in rows.items() if row is not None and row[0] is not None}
    queue = QUEUES[0]
    return {**ids, "queue": queue, "paused": QUEUES[-1], "target": targets_of(queue)[0], "schedule": "hourly-7"}
