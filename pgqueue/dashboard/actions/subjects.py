"""What actions are done on, and how each is found for who asks; what is another tenant's does not exist."""

from __future__ import annotations

from uuid import UUID

from pgqueue.dashboard.actions.action import Subject
from pgqueue.dashboard.auth import User
from pgqueue.dashboard.database import Conn
from pgqueue.dashboard.figures import brief_id
from pgqueue.dashboard.pages.page import Missing
from pgqueue.dashboard.pages.workflows import require_all
from pgqueue.dashboard.things import Queue, queue_of
from pgqueue.job import DEFAULT_QUEUE
from pgqueue.record import WorkflowRecord
from pgqueue.store import execute, limits, schedules, showing, workers, workflow_reading
from pgqueue.store.limits import LimitRow
from pgqueue.store.schedules import ScheduleRow
from pgqueue.store.showing import JobShown
from pgqueue.store.workers import WorkerRow


def _job(conn: Conn, user: User, key: str) -> JobShown:
    try:
        found = execute(conn, showing.shown(UUID(key)))
    except ValueError:
        found = None
    if found is None or not user.sees(found.job.queue):
        raise Missing(f"no job {key:.80}: never committed, or its history is past its keeping time")
    return found


def _queue(conn: Conn, user: User, key: str) -> Queue:
    if not user.sees(key):
        raise Missing(f"no queue {key:.80}")
    return queue_of(conn, key)


def _limit(conn: Conn, user: User, key: str) -> LimitRow:
    scope, _, name = key.partition(":")
    row = execute(conn, limits.get(scope, name)) if scope in ("key", "queue", "task") else None
    if row is None or not user.sees(row.name if row.scope == "queue" else None):
        raise Missing(f"no limit of {key:.80}")
    return row


def _schedule(conn: Conn, user: User, key: str) -> ScheduleRow:
    row = execute(conn, schedules.get(key))
    if row is None or not user.sees(row.queue or DEFAULT_QUEUE):
        raise Missing(f"no schedule {key:.80}")
    return row


def _worker(conn: Conn, _user: User, key: str) -> WorkerRow:
    row = next((row for row in execute(conn, workers.rows()) if str(row.id) == key), None)
    if row is None:
        raise Missing(f"no worker {key:.80}: it has ended")
    return row


def _workflow(conn: Conn, user: User, key: str) -> WorkflowRecord:
    require_all(user)
    try:
        row = execute(conn, workflow_reading.get(UUID(key)))
    except ValueError:
        row = None
    if row is None:
        raise Missing(f"no workflow {key:.80}: never committed, or its history is past its keeping time")
    return row


JOB = Subject(
    "job",
    find=_job,
    key=lambda shown: str(shown.job.id),
    called=lambda shown: f"{shown.job.target}, job {brief_id(shown.job.id)}",
    page=lambda key: ("job", {"id": key}),
)
QUEUE = Subject(
    "queue",
    find=_queue,
    key=lambda queue: queue.name,
    called=lambda queue: f"Queue {queue.name}",
    page=lambda key: ("queue", {"name": key}),
)
LIMIT = Subject(
    "limit",
    find=_limit,
    key=lambda row: f"{row.scope}:{row.name}",
    called=lambda row: f"Limit of the {row.scope} {row.name}",
    page=lambda key: ("limit", {"of": key.partition(":")[0], "name": key.partition(":")[2]}),
)
LIMITS = Subject(
    "limits",
    find=lambda _conn, _user, _key: "all",
    key=lambda _thing: "all",
    called=lambda _thing: "Limits",
    page=lambda _key: ("limits", {}),
)
SCHEDULE = Subject(
    "schedule",
    find=_schedule,
    key=lambda row: row.name,
    called=lambda row: f"Schedule {row.name}",
    page=lambda key: ("schedule", {"name": key}),
)
WORKER = Subject(
    "worker",
    find=_worker,
    key=lambda row: str(row.id),
    called=lambda row: f"Worker {row.host}/{row.pid}",
    page=lambda key: ("worker", {"id": key}),
)
WORKFLOW = Subject(
    "workflow",
    find=_workflow,
    key=lambda row: str(row.id),
    called=lambda row: f"Workflow {row.name:.80}",
    page=lambda key: ("workflow", {"id": key}),
)
