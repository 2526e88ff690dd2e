"""Exceptions of a task as the history keeps them: their traceback begins in the user's code."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
import threading
import traceback
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from pgqueue.context import as_shown, running
from pgqueue.description import TRACEBACK_LIMIT, storable, type_name
from pgqueue.outcome import Ended, ErrorReport, Failed, Outcome, Released, Signal, TimedOut, error_report

# Frames of these files at the top of a traceback are ours: the user's begin below them.
_NAMES = ("attempt", "async_attempts", "batch_call", "call", "middleware", "private_loop")
_OUR_FILES = {str(Path(__file__).with_name(f"{name}.py")) for name in _NAMES}
# What is of another language has no frames; those below are how it was called.
_CALLERS = ("answer", "command", "declaring", "lines", "posting", "program", "request")
_OUR_FILES |= {str(Path(__file__).parents[2] / "polyglot" / f"{name}.py") for name in _CALLERS}
_OUR_FILES.add(str(Path(__file__).parents[2] / "durable" / "workflow_task.py"))
# Of the stack of a job that hangs so many innermost frames are shown.
_MOST_FRAMES = 60


def report(error: BaseException) -> ErrorReport:
    """The report of a caught exception; one that cannot even be looked at is reported as that."""
    try:
        trimmed = BaseException.with_traceback(error, _user_part(error.__traceback__))
        job = running.get()
        return ErrorReport.of(trimmed) if job is None else ErrorReport.of(trimmed, partial(as_shown, job))
    except BaseException as second:
        return unspeakable(error, second)


def with_note(outcome: Outcome, note: str, error: BaseException) -> Outcome:
    """The outcome, with what else went wrong below its traceback: its own error stays the error of the job."""
    match outcome:
        case (
            Failed(error=ErrorReport() as own) | TimedOut(own) | Ended(error=own) | Released(error=ErrorReport() as own)
        ):
            found = report(error)
            parts = [own.traceback, f"{note}:", found.traceback or f"{found.type}: {found.message}"]
            text = storable("\n\n".join(part.rstrip() for part in parts if part), TRACEBACK_LIMIT)
            return dataclasses.replace(outcome, error=dataclasses.replace(own, traceback=text))
        case _:
            return outcome


def unspeakable(error: BaseException, second: BaseException) -> ErrorReport:
    """The report of an exception whose description raised another one."""
    return error_report(type_name(error), f"describing it raised {type_name(second)}")


def signal_report(signal: Signal) -> ErrorReport:
    """A signal as an error: a traceback only where it was raised because of one."""
    found = report(signal)
    caused = signal.__cause__ or signal.__context__
    return ErrorReport(type(signal).__name__, found.message, found.traceback if caused else None)


def stack_of(thread: threading.Thread) -> str | None:
    """Where another thread is in the user's code, the innermost frame last; None if that is not in a task."""
    frame = sys._current_frames().get(thread.ident or 0)
    return _shown(traceback.extract_stack(frame, limit=_MOST_FRAMES) if frame else [])


def stack_of_task(task: asyncio.Task[Any]) -> str | None:
    """Where a coroutine waits, the innermost frame last; None if that is not in a task, or it runs at this moment."""
    frames: list[tuple[FrameType, int]] = []
    inside: Any = task.get_coro()
    while inside is not None and len(frames) < _MOST_FRAMES:
        frame, awaited = _at(inside)
        if frame is None:
            break
        frames.append((frame, frame.f_lineno))
        inside = awaited
    return _shown(traceback.StackSummary.extract(iter(frames)))


def _at(inside: Any) -> tuple[FrameType | None, Any]:
    """The frame of a coroutine, or of a generator of either kind, and what it waits for."""
    for kind, waits in (("cr", "cr_await"), ("gi", "gi_yieldfrom"), ("ag", "ag_await")):
        if hasattr(inside, f"{kind}_frame"):
            return getattr(inside, f"{kind}_frame"), getattr(inside, waits, None)
    return None, None


def _shown(stack: Sequence[traceback.FrameSummary]) -> str | None:
    """The part of a stack that is the user's."""
    ours = [number for number, each in enumerate(stack) if each.filename in _OUR_FILES]
    theirs = stack[ours[-1] + 1 :] if ours else []
    if not theirs:
        return None
    return storable("Stack (most recent call last):\n" + "".join(traceback.format_list(theirs)), TRACEBACK_LIMIT)


def _user_part(trace: TracebackType | None) -> TracebackType | None:
    while trace is not None and trace.tb_frame.f_code.co_filename in _OUR_FILES:
        trace = trace.tb_next
    return trace
