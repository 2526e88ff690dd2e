"""`self.request`: the job that runs, in Celery's words."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any

from pgqueue.context import JobContext, running
from pgqueue.elsewhere import missing_attribute

_ELSEWHERE: Mapping[str, str] = {
    "chain": "a job does not carry those behind it; see pgqueue.workflow_nodes(conn, workflow_id)",
    "chord": "a job does not carry what follows it; see pgqueue.workflow_nodes(conn, workflow_id)",
    "eta": "see pgqueue.get_job(conn, job_id).run_at",
    "expires": "the database keeps a job's ttl, and starts none behind it",
    "group": "see pgqueue.workflow_nodes(conn, workflow_id)",
    "headers": "see pgqueue.current_job().labels",
    "reply_to": "a result is stored, and read by pgqueue.result(conn, job_id)",
    "timelimit": "see pgqueue.current_job().deadline",
}


class Request:
    """The job that runs here; outside of one `called_directly` is true, and the rest says nothing."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return missing_attribute("self.request", name, _ELSEWHERE)

    def __repr__(self) -> str:
        return f"<Request {self._name} {self.id}>"

    @property
    def _job(self) -> JobContext | None:
        return running.get()

    @property
    def called_directly(self) -> bool:
        """Whether the task was called as a function, and no job runs it."""
        return self._job is None

    @property
    def id(self) -> str | None:
        """The job's id, as a text."""
        return None if self._job is None else str(self._job.id)

    @property
    def task(self) -> str:
        """The task's name."""
        return self._name

    @property
    def retries(self) -> int:
        """How many attempts were before this one."""
        return 0 if self._job is None else self._job.attempt - 1

    @property
    def args(self) -> list[Any]:
        """The positional arguments that were enqueued."""
        given = None if self._job is None else self._job.args
        return given if isinstance(given, list) else []

    @property
    def kwargs(self) -> dict[str, Any]:
        """The arguments by keyword that were enqueued."""
        given = None if self._job is None else self._job.args
        return given if isinstance(given, dict) else {}

    @property
    def delivery_info(self) -> dict[str, Any]:
        """The queue that the job waited under."""
        return (
            {}
            if self._job is None
            else {"routing_key": self._job.queue, "exchange": "", "redelivered": self.retries > 0}
        )

    @property
    def hostname(self) -> str:
        """This machine's name."""
        return socket.gethostname()

    @property
    def is_eager(self) -> bool:
        """Always false: what runs eagerly is a job, too."""
        return False

    correlation_id = root_id = property(lambda self: self.id)
    parent_id = property(lambda self: None)
