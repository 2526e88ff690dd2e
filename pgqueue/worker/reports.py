"""Exceptions of a task as the history keeps them: their traceback begins in the user's code."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from pgqueue.description import type_name
from pgqueue.outcome import ErrorReport, Signal, error_report

# Frames of these files at the top of a traceback are ours: the user's begin below them.
_OUR_FILES = {str(Path(__file__).with_name(f"{name}.py")) for name in ("attempt", "middleware", "private_loop")}


def report(error: BaseException) -> ErrorReport:
    """The report of a caught exception; one that cannot even be looked at is reported as that."""
    try:
        return ErrorReport.of(BaseException.with_traceback(error, _user_part(error.__traceback__)))
    except BaseException as second:
        return unspeakable(error, second)


def unspeakable(error: BaseException, second: BaseException) -> ErrorReport:
    """The report of an exception whose description raised another one."""
    return error_report(type_name(error), f"describing it raised {type_name(second)}")


def signal_report(signal: Signal) -> ErrorReport:
    """A signal as an error: a traceback only where it was raised because of one."""
    found = report(signal)
    caused = signal.__cause__ or signal.__context__
    return ErrorReport(type(signal).__name__, found.message, found.traceback if caused else None)


def _user_part(trace: TracebackType | None) -> TracebackType | None:
    while trace is not None and trace.tb_frame.f_code.co_filename in _OUR_FILES:
        trace = trace.tb_next
    return trace
