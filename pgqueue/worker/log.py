"""The observer that logs: one line an event, one line an attempt, as text for people or JSON for machines.

Where the application has told Python's logging what to do with lines, they are records of the logger `pgqueue.worker`
for its handlers; otherwise it writes them itself.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, TextIO

from pgqueue import events
from pgqueue.encryption import in_words
from pgqueue.events import Event, Finished
from pgqueue.job import trace_of
from pgqueue.outcome import HUMAN, Move, Settlement
from pgqueue.printable import cut
from pgqueue.worker.log_lines import LEVELS, LineStyle, written
from pgqueue.worker.log_records import LOGGER, RecordWriter, is_taken
from pgqueue.worker.log_writer import LogWriter, writer_of
from pgqueue.worker.sparing import Sparing

# The whole of it stands in pgqueue.attempts.
ERROR_LIMIT = 500
# Of a worker's tasks so many are named when it starts.
TASKS_SHOWN = 20
# That jobs of a target are unknown here is said so often, in seconds.
PARKED_EVERY = 60.0
Line = tuple[str, str, dict[str, Any]]


class LogObserver:
    """Has what it hears logged, from `level` on; never waits. A batch is one write.

    With a `stream` it writes there, whatever logging is told.
    """

    def __init__(self, style: str = "text", level: str = "info", stream: TextIO | None = None) -> None:
        self.style, self.level = style, level
        self.is_elsewhere = stream is not None
        self._lines = LineStyle(style)
        self._threshold = LEVELS[level]
        self._parked = Sparing(PARKED_EVERY)
        self._writer = LogWriter(stream, self._lines.dropped) if stream is not None else None
        self._records = RecordWriter()

    def __call__(self, event: Event) -> None:
        found = list(_lines(event, self._threshold, self._parked))
        if found and self._writer is None and is_taken(LOGGER):
            self._records.write(found)
        elif found:
            now = written()
            self._stderr().write("".join([self._lines.line(now, *line) for line in found]), len(found))
        if isinstance(event, events.WorkerStopped):
            self.flush()

    def flush(self) -> None:
        """Wait for what was heard to be written: for half a second, if nobody takes it."""
        self._records.flush()
        self._stderr().flush()

    def _stderr(self) -> LogWriter:
        if self._writer is None:
            self._writer = writer_of(sys.stderr, self._lines.dropped)
        return self._writer


def _lines(event: Event, threshold: int, parked: Sparing) -> Iterator[Line]:
    if isinstance(event, events.AttemptsFinished):
        # Successes are the many: where they are not wanted, nothing is made of them.
        for done in event.batch if threshold <= LEVELS["info"] else event.others:
            if LEVELS[level := _level_of(done.settlement)] < threshold:
                continue
            fields = _fields(done, event.shift)
            if done.settlement.move is Move.PARK:
                # Of another app's a hundred thousand may wait in the same queue.
                if (more := parked.spare(done.claim.target)) is None:
                    continue
                fields |= {"more": more} if more else {}
            yield level, _message_of(done.settlement), fields
        return
    # A dump was asked for: whatever the level is, it is not too little to be written.
    threshold = 0 if isinstance(event, events.WorkerDumped) else threshold
    for line in _other_lines(event):
        if LEVELS[line[0]] >= threshold:
            yield line


def _other_lines(event: Event) -> Iterator[Line]:
    match event:
        case events.AttemptsLate(batch):
            for done in batch:
                yield "warning", "late", {**_fields(done, None), "hint": "its lease had ended; nothing was changed"}
        case events.WorkerStarted():
            yield from _started(event)
        case events.WorkerStopping(worker, why, exit_code, database):
            fields = {"worker": worker, **_at(database), "why": why}
            yield "error" if exit_code else "info", "worker stopping", fields
        case events.WorkerStopped(worker, exit_code):
            yield "info", "worker stopped", {"worker": worker, "exit_code": exit_code}
        case events.OrderHeard(worker, order, by):
            yield "info", "order heard", {"worker": worker, "order": order, "by": by}
        case events.WorkerDumped():
            yield from _dumped(event)
        case events.LeasesReaped(workers, jobs):
            yield "warning", "took back jobs of vanished workers", {"workers": list(workers), "jobs": jobs}
        case events.DatabaseLost(role, error, seconds, refused):
            fields = {"role": role, "error": error, "seconds": round(seconds, 1)}
            yield "warning", f"database {'refuses' if refused else 'lost'}, trying again", fields
        case events.DatabaseBack(role, seconds):
            yield "info", "database back", {"role": role, "seconds": round(seconds, 1)}
        case events.HostFailed(role, lack):
            yield "error", "this machine has run out of something", {"role": role, "error": lack}
        case events.ChildEnded(pid, how):
            yield "warning", "child ended", {"pid": pid, "how": how}
        case events.Trouble(role, error, hint):
            yield "error", "trouble", {"role": role, "error": error, **({"hint": hint} if hint else {})}


def _started(event: events.WorkerStarted) -> Iterator[Line]:
    named = ",".join(event.tasks[:TASKS_SHOWN])
    if more := len(event.tasks) - TASKS_SHOWN:
        named += f" and {more} more" if more > 0 else ""
    yield (
        "info",
        "worker started",
        {
            "worker": event.worker,
            **_at(event.database),
            "queues": ",".join(event.queues) or "all",
            "executor": event.executor,
            "concurrency": event.concurrency,
            "tasks": named or "none",
        },
    )
    for doubt in event.doubts:
        yield "warning", "doubt", {"worker": event.worker, "hint": doubt}


def _at(database: str) -> dict[str, str]:
    """Which database, where there are several."""
    return {"database": database} if database else {}


def _dumped(dump: events.WorkerDumped) -> Iterator[Line]:
    yield "info", "dump", {"worker": dump.worker, **dump.summary}
    for job in dump.jobs:
        yield "info", "dump: job", {"worker": dump.worker, **job}
    for name, stack in dump.threads.items():
        yield "info", "dump: thread", {"worker": dump.worker, "thread": name, "stack": stack}


def _level_of(settlement: Settlement) -> str:
    match settlement.move:
        case Move.END | Move.RETRY | Move.FALL_BACK if settlement.expected:
            return "info"
        case Move.END if settlement.reason is not None:
            return "error"
        case Move.RETRY | Move.FALL_BACK | Move.PARK:
            return "warning"
        case _:
            return "info"


def _message_of(settlement: Settlement) -> str:
    match settlement.move:
        case Move.END:
            return f"dead: {settlement.reason}" if settlement.reason else "cancelled"
        case Move.RETRY:
            return f"{settlement.outcome}, retry in {settlement.delay:.3g} s"
        case Move.FALL_BACK:
            to = "waits for a human" if settlement.fallback == HUMAN else f"falls back to {settlement.fallback}"
            return f"{settlement.outcome}, {to}"
        case Move.WAIT:
            return "waits"
        case Move.PARK:
            return "unknown here, left to a worker that knows it"
        case _:
            return settlement.outcome


def _fields(done: Finished, shift: float | None) -> dict[str, Any]:
    claim, settlement = done.claim, done.settlement
    fields: dict[str, Any] = {
        "job": str(claim.id),
        "target": claim.target,
        "queue": claim.queue,
        "attempt": claim.attempt,
        "outcome": settlement.outcome,
        "ms": round(done.elapsed * 1000, 1),
    }
    if shift is not None and (waited := done.waited(shift)) is not None:
        fields["wait_ms"] = round(waited * 1000, 1)
    fields["worker"] = claim.worker
    if settlement.cause is not None:
        fields["cause"] = settlement.cause
    if claim.headers is not None and (trace := trace_of(claim.headers)) is not None:
        fields["trace_id"] = trace
    error = ": ".join(part for part in (settlement.error_type, settlement.error) if part)
    if error:
        is_reason = settlement.move in (Move.RELEASE, Move.WAIT) and settlement.error_type is None
        fields["why" if is_reason else "error"] = cut(in_words(error), ERROR_LIMIT)
    return fields
