"""What runs now, longest first, and where."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pgqueue.dashboard.database import Conn, seen
from pgqueue.dashboard.pages.job_filters import Filters, found
from pgqueue.dashboard.pages.page import Asked, Page
from pgqueue.job import JobState
from pgqueue.store import execute, queues, workers

MOST = 200
_RUNNING = frozenset({JobState.RUNNING})


def load(conn: Conn, asked: Asked) -> dict[str, Any]:
    """The jobs that run."""
    said = Filters(JobState.RUNNING, asked.text("queue"), asked.text("target"), None, MOST)
    there = found(conn, asked, _RUNNING, said)
    rows, settings = seen(conn, lambda conn: (execute(conn, workers.rows()), execute(conn, queues.settings())))
    latest = datetime.now(UTC)
    there.jobs.sort(key=lambda job: job.started_at or latest)
    only = asked.text("worker")
    return {
        "jobs": [job for job in there.jobs if only is None or str(job.worker) == only],
        "found": there,
        "said": said,
        "workers": {row.id: row for row in rows},
        "timeouts": {row.queue: row.timeout for row in settings},
        "only": only,
        "most": MOST,
    }


PAGE = Page("running", "/running", load, ("table",))
