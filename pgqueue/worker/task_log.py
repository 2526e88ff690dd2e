"""Writes what tasks log and no handler of the application takes: in the worker, in its children, under `jobs run`.

It is Python's handler of last resort: asked for the records that find no other handler, so that no line is written
twice, and none is once the application configures logging, however late.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from math import isfinite
from typing import Any

from pgqueue.context import as_shown, running
from pgqueue.logs import hidden, job_fields, keep_what_is_logged, tell_handlers
from pgqueue.redaction import Redaction
from pgqueue.server_details import without_details
from pgqueue.worker.log_lines import LEVELS, TEXT_LIMITS, Fields, LineStyle, written
from pgqueue.worker.log_writer import LogWriter, flush_all, writer_of

# Of the fields that a line was given by `extra=`.
MOST_EXTRAS = 20
_OURS = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}
_PLAIN = (str, bool, type(None))
_BY_NAME = Redaction()


class TaskLog(logging.Handler):
    """Writes records as the worker writes its own lines; never waits for whoever reads them."""

    def __init__(self, style: str, level: str, writer: LogWriter | None = None) -> None:
        super().__init__(LEVELS[level])
        self._lines = LineStyle(style)
        self._writer = writer or writer_of(sys.stderr, self._lines.dropped)

    def emit(self, record: logging.LogRecord) -> None:
        """Have the record written; one that cannot be put into words is told of as that."""
        at = written(record.created)
        line = self._lines.line(at, _level_of(record), _clean(_message_of(record)), _fields_of(record))
        self._writer.write(line, 1, at_once=True)


class _LastResort:
    """The handler of last resort and the level of the root logger: ours from begin() on, and given back to Python."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards what follows
        self._users = 0
        self._before: tuple[logging.Handler | None] | None = None
        self._level_before: int | None = None

    def begin(self, style: str, level: str) -> None:
        with self._lock:
            if self._before is None:
                self._before = (logging.lastResort,)
                logging.lastResort = TaskLog(style, level)
                self._let_through(LEVELS[level])

    def lower(self, level: str) -> None:
        """Have records of this level made, though they may not be written."""
        with self._lock:
            if logging.getLogger().level > LEVELS[level]:
                self._let_through(LEVELS[level])

    def enter(self) -> None:
        with self._lock:
            self._users += 1

    def leave(self) -> None:
        flush_all()
        with self._lock:
            self._users -= 1
            if self._users:
                return
            if self._before is not None:
                (logging.lastResort,) = self._before
                self._before = None
            if self._level_before is not None and not (root := logging.getLogger()).handlers:
                root.setLevel(self._level_before)
            self._level_before = None

    def _let_through(self, level: int) -> None:
        root = logging.getLogger()
        # Python's own, which nobody has chosen, or ours.
        if not root.handlers and (root.level == logging.WARNING or self._level_before is not None):
            self._level_before = root.level if self._level_before is None else self._level_before
            root.setLevel(level)


_last_resort = _LastResort()


def begin(log: tuple[str, str] | None, store: str | None = None) -> None:
    """Write what tasks log from now on, in this style and from this level on; with None only name their jobs.

    From the level `store` on it is kept with their jobs, too. Called when the application has been imported, and with
    it has said what it wants of logging.
    """
    tell_handlers()
    if log is not None:
        _last_resort.begin(*log)
    if store is not None:
        keep(store)


def keep(level: str) -> None:
    """Have what tasks log from this level on kept with those jobs that ask for it."""
    keep_what_is_logged()
    _last_resort.lower(level)


@contextmanager
def for_now() -> Iterator[None]:
    """Leave logging behind the block as it was before begin()."""
    _last_resort.enter()
    try:
        yield
    finally:
        _last_resort.leave()


def _level_of(record: logging.LogRecord) -> str:
    return next((name for name in ("error", "warning", "info") if record.levelno >= LEVELS[name]), "debug")


def _message_of(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception as error:  # The words of a task: they may not fit together, or raise anything.
        return f"a line that cannot be put into words: {_text(record.msg)} ({type(error).__name__})"


def _fields_of(record: logging.LogRecord) -> Fields:
    fields: Fields = {**job_fields(), "logger": record.name}
    extras = [(name, value) for name, value in vars(record).items() if name not in _OURS]
    for name, value in extras[:MOST_EXTRAS]:
        fields.setdefault(str(name)[: TEXT_LIMITS[-1]], _clean(_plain(value)))
    if record.exc_info:
        fields["error"] = _traceback_of(record)
    if record.stack_info:
        fields["stack"] = _end_of(record.stack_info)
    return fields


def _traceback_of(record: logging.LogRecord) -> str:
    try:
        text = "".join(traceback.format_exception(*record.exc_info))  # type: ignore[misc]  # it is there
        return _end_of(_clean(text, record.exc_info[1]))  # type: ignore[index]  # as above
    except Exception as error:  # Describing it calls its own code.
        return f"an error that cannot be described ({type(error).__name__})"


def _clean(value: Any, error: BaseException | None = None) -> Any:
    """What a line says, without the secrets that the job that runs here was given, and what a server said of rows."""
    if not isinstance(value, str):
        return hidden(value)
    job = running.get()
    text = without_details(value, error)
    return _BY_NAME.in_report(text) if job is None else as_shown(job, text)


def _end_of(text: str) -> str:
    """Of a traceback the end says most."""
    text, limit = text.strip(), TEXT_LIMITS[0] - 100
    return text if len(text) <= limit else f"... {text[-limit:]}"


def _plain(value: Any) -> Any:
    is_number = (type(value) is int and abs(value) < 1 << 63) or (type(value) is float and isfinite(value))
    return value if is_number or type(value) in _PLAIN else _text(value)


def _text(value: object) -> str:
    try:
        return str(value)
    except Exception as error:  # It is the task's, as a number of 5,000 digits.
        return f"a {type(value).__name__} without words ({type(error).__name__})"
