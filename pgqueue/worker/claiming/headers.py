"""The headers of jobs that were just claimed: asked for where something looks on, and not on the way of all others."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pgqueue.job import Claim
from pgqueue.store import execute, jobs
from pgqueue.worker.loop import Connection


def with_headers(conn: Connection, claims: Sequence[Claim], is_watched: Callable[[], bool]) -> list[Claim]:
    """The claims with their headers. They run without, if those cannot be had."""
    if not claims or not is_watched():
        return list(claims)
    try:
        found = execute(conn, jobs.headers([claim.id for claim in claims]))
    except Exception:  # They are held, and to be run, whatever is wrong: the next step finds out.
        return list(claims)
    return [claim._replace(headers=found.get(claim.id)) for claim in claims]
