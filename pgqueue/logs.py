"""Which job a log line belongs to: for handlers, formatters and structlog processors of the application.

A task logs as any code does. Where the application configures no logging, the worker writes those lines itself, with
the job's fields; where it does, JobFilter gives its handlers the same fields.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

from pgqueue.context import running

NAMES = ("job", "target", "queue", "attempt")

# More fields of whatever runs, as of the span that is open; added by who has some.
_others: list[Callable[[], Mapping[str, object]]] = []


class JobFilter(logging.Filter):
    """Gives each record `job`, `target`, `queue` and `attempt`, None outside of a job; lets all of them pass.

    What the record says itself, by `extra=`, stays.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the fields; always true."""
        said = vars(record)
        found = job_fields()
        for name in NAMES:
            said.setdefault(name, found.get(name))
        for name, value in found.items():
            said.setdefault(name, value)
        return True


def add_job(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor for structlog: adds the fields of the job that runs, and nothing outside of one."""
    for name, value in job_fields().items():
        event.setdefault(name, value)
    return event


def job_fields() -> dict[str, object]:
    """The fields of the job that runs here: job, target, queue, attempt, and what others add; empty outside of one."""
    job = running.get()
    fields: dict[str, object] = {}
    if job is not None:
        fields = {"job": str(job.id), "target": job.target, "queue": job.queue, "attempt": job.attempt}
    for more in _others:
        fields |= more()
    return fields


def also_tell(more: Callable[[], Mapping[str, object]]) -> None:
    """Have lines carry these fields, too; a function that was given already is not asked twice."""
    if more not in _others:
        _others.append(more)


def tell_handlers() -> None:
    """Give the handlers that the application has configured so far the fields of jobs."""
    loggers = [logging.getLogger(), *logging.Logger.manager.loggerDict.values()]
    for logger in loggers:
        for handler in getattr(logger, "handlers", ()):
            if not any(isinstance(each, JobFilter) for each in handler.filters):
                # In front: a filter of the application may look at them.
                handler.filters.insert(0, JobFilter())
