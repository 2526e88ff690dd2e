"""`pgqueue workers`: who is at work."""

from __future__ import annotations

from pgqueue.cli.database import connected
from pgqueue.cli.options import Dsn, Json, new_group
from pgqueue.cli.output import Columns, print_list
from pgqueue.store import execute, workers
from pgqueue.store.workers import WorkerRow

COLUMNS: Columns[WorkerRow] = {
    "WORKER": lambda row: row.id,
    "HOST": lambda row: row.host,
    "PID": lambda row: row.pid,
    "QUEUES": lambda row: "all" if row.queues is None else row.queues,
    "EXECUTOR": lambda row: row.executor,
    "CONCURRENCY": lambda row: row.concurrency,
    "RUNNING": lambda row: row.running,
    "STARTED": lambda row: row.started_at,
    "LEASE": lambda row: "alive" if row.alive else "expired",
}


def _workers(dsn: Dsn = None) -> None:
    """Look at workers."""


group = new_group(_workers)


@group.command("list")
def list_workers(dsn: Dsn = None, as_json: Json = False) -> None:
    """List the workers, oldest first, with the number of jobs that each holds."""
    with connected(dsn) as conn:
        empty = "No worker runs; start one: `pgqueue worker -A your.tasks`."
        print_list(execute(conn, workers.listing()), COLUMNS, as_json=as_json, empty=empty)
