"""Where the jobs of this worker are, told to whoever asks by `pgqueue workers dump`."""

from __future__ import annotations

import json
import sys
import threading
import traceback

import psycopg

from pgqueue.printable import in_lines
from pgqueue.redaction import Redaction
from pgqueue.store import dumps, execute
from pgqueue.worker.executors.base import Executor, Whereabouts
from pgqueue.worker.loop import Connection

# Jobs that are told of, the longest first, threads, and bytes of an answer; jobs that are left out are counted.
MOST_JOBS, MOST_THREADS, LONGEST = 200, 100, 256 * 1024
# The innermost frames of a thread; who hangs, hangs there.
FRAMES = 12
# Seconds to the next look where it cannot be asked: a schema before this release, a role without rights.
MUTE = 60.0


class Dumper:
    """Looks whether somebody has asked; used by the heartbeat's thread."""

    def __init__(self, worker: int, executor: Executor, every: float) -> None:
        self._worker = worker
        self._executor = executor
        self._every = every
        self._redaction = Redaction()

    def look(self, conn: Connection) -> float:
        """Answer, if somebody has asked; answers the seconds until the next look."""
        try:
            asked_at = execute(conn, dumps.asked(self._worker))
        except (psycopg.errors.UndefinedTable, psycopg.errors.InsufficientPrivilege):
            return MUTE
        if asked_at is not None:
            execute(conn, dumps.tell(self._worker, asked_at, self._told()))
        return self._every

    def _told(self) -> str:
        there = sorted(self._executor.whereabouts(), key=lambda each: -each.seconds)
        jobs = [self._job(each) for each in there[:MOST_JOBS]]
        threads = dict(list(stacks().items())[:MOST_THREADS])
        told = {"jobs": jobs, "left_out": len(there) - len(jobs), "threads": threads}
        while len(text := json.dumps(told, separators=(",", ":"))) > LONGEST and jobs:
            del jobs[len(jobs) * 3 // 4 :]
            told["left_out"] = len(there) - len(jobs)
        return text

    def _job(self, each: Whereabouts) -> dict[str, object]:
        claim = each.claim
        return {
            "job": str(claim.id),
            "target": claim.target,
            "queue": claim.queue,
            "attempt": claim.attempt,
            "seconds": round(each.seconds, 1),
            "pid": each.pid,
            "stack": None if each.stack is None else in_lines(self._redaction.in_words(each.stack)),
            "why": each.why,
        }


def stacks() -> dict[str, str]:
    """Each thread of this process by its name, with the innermost frames of its stack, the innermost last."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    return {
        names.get(ident, f"thread {ident}"): " > ".join(
            f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_stack(top)[-FRAMES:]
        )
        for ident, top in sys._current_frames().items()
    }
