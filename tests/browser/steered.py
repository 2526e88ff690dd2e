"""What people did to a shop's queues lately: bulk actions, and acts on one thing."""

from __future__ import annotations

from typing import Any

import psycopg

from pgqueue import operations
from pgqueue.operations import Plan
from pgqueue.store import audit, execute, reports
from pgqueue.store import operations as store

Conn = psycopg.Connection[Any]


def steered(conn: Conn) -> None:
    """Three operations, one done, one stopped, one under way, and some acts. `conn` is in autocommit mode."""
    now = execute(conn, reports.now())
    done = operations.begin(
        conn,
        Plan(
            kind="priority",
            filter="queue:payments state:ready",
            made_at=now,
            who="ann",
            via="dashboard",
            priority=8,
            reason="the bank closes at six",
        ),
    )
    while operations.step(conn, done).pause is not None:
        pass
    stopped = operations.begin(
        conn,
        Plan(
            kind="cancel",
            filter='queue:search args.tenant:t3 -error:"rate limit"',
            made_at=now,
            who="bob@web-1",
            via="cli",
            reason="tenant t3 left",
        ),
    )
    operations.step(conn, stopped, most=5)
    execute(conn, store.stop(stopped, "wrong tenant"))
    under_way = operations.begin(
        conn,
        Plan(
            kind="priority",
            filter="queue:search since:2h",
            made_at=now,
            who="ann",
            via="dashboard",
            priority=3,
            rate=50.0,
            detached=True,
        ),
    )
    operations.step(conn, under_way)
    conn.execute("update pgqueue.operations set made_at = made_at - interval '8 minutes' where id < %s", [under_way])
    execute(conn, audit.write("ann", "dashboard", "queues pause", filter_text="reports", reason="month's end"))
    execute(conn, audit.write("bob@web-1", "cli", "operations stop 2", filter_text="queue:search args.tenant:t3"))
