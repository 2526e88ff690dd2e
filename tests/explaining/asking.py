"""Short ways to an explanation, and to workers that know something."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pgqueue
from pgqueue import Explanation, Finding
from pgqueue.store import execute, unknown
from tests.factories import TARGET, Conn, enlist


def knowing(conn: Conn, *targets: str, queues: Sequence[str] | None = None, concurrency: int = 1) -> int:
    """A worker that says what it can run."""
    worker = enlist(conn, queues=queues, concurrency=concurrency)
    execute(conn, unknown.declare_targets(worker, targets or [TARGET], timedelta(days=7)))
    return worker


def why(conn: Conn, job_id: UUID) -> Finding:
    """The answer for a job."""
    return checked(pgqueue.explain(conn, job_id)).headline


def why_not_drained(conn: Conn, queue: str) -> Finding:
    """The answer for a queue."""
    return checked(pgqueue.explain_queue(conn, queue)).headline


def finding(found: Explanation, code: str) -> Finding:
    """What was found of one reason."""
    return next(each for each in found.findings if each.code == code)


def checked(found: Explanation) -> Explanation:
    """An explanation in which every reason has its words, and one at least holds."""
    assert [each.ord for each in found.findings] == list(range(len(found.findings)))
    assert all(each.text and isinstance(each.detail, dict) for each in found.findings), found
    assert found.headline.holds, found
    return found
