"""RQ's names on pgqueue: `from pgqueue.compat.rq import Queue` in place of `from rq import Queue`.

A guide says what is the same, what differs, and how both run side by side: docs/guides/from-rq.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pgqueue.compat.rq.dependency import Dependency
from pgqueue.compat.rq.job import Job, JobStatus, cancel_job, get_current_job, requeue_job
from pgqueue.compat.rq.options import Callback, Repeat, Retry
from pgqueue.compat.rq.queue import Queue
from pgqueue.elsewhere import missing_name

__all__ = [
    "Callback",
    "Dependency",
    "Job",
    "JobStatus",
    "Queue",
    "Repeat",
    "Retry",
    "cancel_job",
    "get_current_job",
    "requeue_job",
]

_WORKER = "run `pgqueue worker -A` with the module of the functions"
_ELSEWHERE: Mapping[str, str] = {
    "Connection": "say Queue(connection=conn), or `with pgqueue.bound(conn):`",
    "Group": "say pgqueue.group([...]), or pgqueue.open_group(conn)",
    "RateLimit": "say pgqueue.set_limit(conn, 'key', key, concurrency=2), and enqueue with limit_key",
    "SimpleWorker": _WORKER,
    "SpawnWorker": _WORKER,
    "Webhook": "have a pgqueue.http_task() follow: @pgqueue.task(on_success=...)",
    "Worker": _WORKER,
    "WorkerPool": _WORKER,
    "cron": "say pgqueue.schedule(conn, name, function, args, cron=...), or @pgqueue.task(cron=...)",
    "push_connection": "say Queue(connection=conn), or `with pgqueue.bound(conn):`",
    "use_connection": "say Queue(connection=conn), or `with pgqueue.bound(conn):`",
}


def __getattr__(name: str) -> Any:
    return missing_name(__name__, name, _ELSEWHERE)
