"""Which job a log line belongs to: for handlers, formatters and structlog processors of the application.

A task logs as any code does. Where the application configures no logging, the worker writes those lines itself, with
the job's fields; where it does, JobFilter gives its handlers the same fields.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

from pgqueue.context import JobContext, running
from pgqueue.description import storable, traceback_of
from pgqueue.job_log import level_of
from pgqueue.leaving_out import HIDDEN

# Characters of a traceback that are kept in a line.
TRACEBACK_KEPT = 6_000
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
        job = running.get()
        if job is not None and job.is_sensitive:
            _hide_in(record, job.hide)
        return True


class JobLogHandler(logging.Handler):
    """Keeps records with the job that runs, for `pgqueue jobs logs`; outside of one it drops them.

    For a logger of yours. Of all that is logged: `pgqueue worker --store-logs info`, or `@task(store_logs="info")`.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Have it kept, unless it is already."""
        job = running.get()
        if job is not None and not job.log.keeps(record.levelno):
            job.log.keep(level_of(record.levelno), self.format(record) if self.formatter else _words_of(record, job))


def keep_what_is_logged() -> None:
    """Have what is logged in jobs that ask for that kept with them, from now on, in this process.

    Where records are made: no handler of the application is touched, and none is needed.
    """
    if _Keeping.before is None:
        _Keeping.before = logging.getLogRecordFactory()
        logging.setLogRecordFactory(_made_and_kept)


class _Keeping:
    """How records were made before."""

    before: Callable[..., logging.LogRecord] | None = None


def _made_and_kept(*args: Any, **values: Any) -> logging.LogRecord:
    record = (_Keeping.before or logging.LogRecord)(*args, **values)
    job = running.get()
    if job is not None and job.log.keeps(record.levelno):
        job.log.keep(level_of(record.levelno), _words_of(record, job))
    return record


def _words_of(record: logging.LogRecord, job: JobContext) -> str:
    try:
        words = record.getMessage()
    except Exception as error:  # The words of a task: they may not fit together, or raise anything.
        words = f"a line that cannot be put into words ({type(error).__name__})"
    raised = record.exc_info[1] if record.exc_info else None
    told = None if raised is None else traceback_of(raised, job.hide)
    return words if told is None else f"{words}\n{storable(told, TRACEBACK_KEPT).rstrip()}"


def add_job(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor for structlog: adds the fields of the job that runs, and nothing outside of one.

    What its task calls sensitive is taken out of the texts that stand there by then.
    """
    for name, value in event.items():
        event[name] = hidden(value)
    for name, value in job_fields().items():
        event.setdefault(name, value)
    return event


def hidden(value: Any) -> Any:
    """What a line says, without what the task of the job that runs here calls sensitive."""
    job = running.get()
    if job is None or not job.is_sensitive or value is None or isinstance(value, bool):
        return value
    try:
        text = str(value)
        clean = job.hide(text)
    except Exception:  # It is the task's, and may have no words.
        return HIDDEN
    return value if clean == text else clean


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


# What is no text of the line.
_OF_RECORDS = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"} - {"msg"}


def _hide_in(record: logging.LogRecord, hide: Callable[[str], str]) -> None:
    """Take out of a record what it says in words; handlers behind this one find it so, too."""
    said = vars(record)
    try:
        record.msg, record.args = hide(record.getMessage()), None
        if record.exc_info:
            record.exc_text = hide("".join(traceback.format_exception(*record.exc_info)).rstrip())
            record.exc_info = None
    except Exception:  # The words of a task: they may not fit together, or raise anything.
        record.msg, record.args, record.exc_info = HIDDEN, None, None
    for name in said.keys() - _OF_RECORDS - {"msg", *NAMES}:
        said[name] = hidden(said[name])


def tell_handlers() -> None:
    """Give the handlers that the application has configured so far the fields of jobs."""
    loggers = [logging.getLogger(), *logging.Logger.manager.loggerDict.values()]
    for logger in loggers:
        for handler in getattr(logger, "handlers", ()):
            if not any(isinstance(each, JobFilter) for each in handler.filters):
                # In front: a filter of the application may look at them.
                handler.filters.insert(0, JobFilter())
