"""An address for every route, beside what fill() made."""

from __future__ import annotations

from typing import Any

from pgqueue.dashboard.api.reads import ROUTES
from pgqueue.dashboard.api.route import Route
from pgqueue.store import audit, execute, operations
from tests.dashboard.filled import Filled
from tests.factories import Conn

ADDRESSES = (
    "/overview",
    "/past",
    "/past?range=1h&queue={queue}",
    "/queues",
    "/queues?limit=1",
    "/queue?name={queue}",
    "/queue/explain?name={queue}",
    "/queue/whatif?name={queue}&slots=%2B8&pause=10m&rate=5/s&in=9/m",
    "/at",
    "/at?when=5m+ago",
    "/jobs",
    "/jobs?state=dead&limit=200",
    "/jobs?queue={queue}&target={target}",
    "/jobs?q=state:dead,ready&queue={queue}",
    "/jobs?q=since:2h&further=true&limit=3",
    "/dead?q=attempt:1",
    "/jobs/{waiting}",
    "/jobs/{running}",
    "/jobs/{dead}",
    "/jobs/{dead}?whole=true",
    "/jobs/{succeeded}",
    "/jobs/{dead}/attempts",
    "/jobs/{dead}/logs",
    "/jobs/{running}/logs?before=9.9",
    "/jobs/{waiting}/explain",
    "/jobs/{running}/explain",
    "/jobs/{dead}/explain",
    "/jobs/{succeeded}/explain",
    "/running",
    "/dead",
    "/dead?queue={queue}&cause=0123456789ab",
    "/causes",
    "/causes/0123456789ab",
    "/workflows",
    "/workflows?state=failed&name=*",
    "/workflows/{workflow}",
    "/workflows/{workflow}?after=1",
    "/jobs/{gated}",
    "/jobs/{gated}/explain",
    "/workers",
    "/worker?id={worker}",
    "/alerts",
    "/alerts?all=true",
    "/schedules",
    "/schedule?name={schedule}",
    "/limits",
    "/limit?of=key&name={limit}",
    "/limit?of=queue&name={queue}",
    "/limit?name=tenant:*",
    "/operations",
    "/operations/1",
    "/audit",
    "/settings",
    "/feeds",
    "/doctor",
)


def route_of(address: str) -> Route:
    """The route that answers an address."""
    path = address.partition("?")[0]
    return next(route for route in ROUTES if route.match(path) is not None)


def act(conn: Conn, filled: Filled) -> None:
    """Something in the audit, and a bulk action."""
    moment = conn.execute("select now()").fetchone()
    assert moment is not None
    said: dict[str, Any] = {"priority": None, "rate": 10.0, "detached": True, "trial": None, "most_failing": None}
    execute(
        conn,
        operations.create("retry", "state:dead", **said, who="ann", via="cli", reason="why not", made_at=moment[0]),
    )
    conn.execute("update pgqueue.operations set state = 'stopped'")
    execute(conn, audit.write("ann", "cli", "jobs retry", job_ids=[filled.dead], n=1, reason="why not"))
