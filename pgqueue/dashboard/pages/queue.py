"""One queue: its numbers, what it says of its jobs, who serves it, and what came last."""

from __future__ import annotations

from typing import Any

from pgqueue import globs
from pgqueue.dashboard.database import Conn, seen
from pgqueue.dashboard.pages.job_filters import Filters, found
from pgqueue.dashboard.pages.page import Asked, Missing, Page
from pgqueue.dashboard.pages.past import history, timed
from pgqueue.dashboard.pages.whatif import whatif
from pgqueue.dashboard.things import queue_of
from pgqueue.job import JobState
from pgqueue.record import Job
from pgqueue.store import execute, explaining, limits, queues, routes, workers
from pgqueue.store.queues import MOST_COUNTED

LATEST = 10
SHOWN = {
    "next": frozenset({JobState.READY, JobState.RUNNING, JobState.SCHEDULED, JobState.RETRYING}),
    "dead": frozenset({JobState.DEAD}),
}


def load(conn: Conn, asked: Asked) -> dict[str, Any]:
    """What is to be known of a queue."""
    name = asked.name("name")
    if not asked.user.sees(name):
        raise Missing(f"no queue {name}")

    told = seen(conn, lambda conn: terms_of(conn, name))
    # It names workers and keys of others, too.
    why = seen(conn, lambda conn: execute(conn, explaining.queue(name))) if asked.user.queues is None else None
    return {
        "queue": name,
        "past": history(conn, asked, name),
        "timings": timed(conn, asked, name),
        "why": why,
        "whatif": whatif(conn, asked, name),
        **told,
        **{kind: _latest(conn, asked, name, states) for kind, states in SHOWN.items()},
    }


def terms_of(conn: Conn, name: str) -> dict[str, Any]:
    """How full a queue is, what holds of its jobs, and who serves it."""
    depths = execute(conn, queues.depths([name], MOST_COUNTED))
    thing = queue_of(conn, name, depths)
    serving = [row for row in execute(conn, workers.rows()) if globs.serves(row.queues, name)]
    return {
        "thing": thing,
        "stats": thing.stats,
        "said": thing.said,
        "size": thing.size,
        "limit": thing.limit,
        "use": None if thing.limit is None else execute(conn, limits.use_of("queue", name, thing.limit.rate)),
        "routes": [route for route in execute(conn, routes.rows()) if route.queue == name],
        "workers": workers.holding(serving, depths.held, partial=depths.partial),
    }


def _latest(conn: Conn, asked: Asked, queue: str, states: frozenset[JobState]) -> list[Job]:
    return found(conn, asked, states, Filters(None, queue, None, None, LATEST)).jobs


PAGE = Page("queue", "/queue", load, ("head", "why", "charts", "whatif", "timings", "terms", "next", "dead", "workers"))
