"""What a worker says of itself with each heartbeat, for people: what runs, how busy it is, how it gets on."""

from __future__ import annotations

import json
import math
import os
import platform
import time

from pgqueue.version import __version__
from pgqueue.worker.claiming.claimer import Claimer
from pgqueue.worker.claiming.listener import Listener
from pgqueue.worker.claiming.outbox import Outbox
from pgqueue.worker.executors.base import Executor
from pgqueue.worker.executors.process.memory import memory_of
from pgqueue.worker.settings import WorkerSettings
from pgqueue.worker.upkeep.heartbeat import Heartbeat
from pgqueue.worker.upkeep.releases import release_here
from pgqueue.worker.upkeep.tallies import Tallies

# Bytes; what is longer would be stored elsewhere than in its row.
LONGEST = 1_500
# Of the jobs that run as many are named as fit, the longest first; of the children as many.
MOST_NAMED, MOST_CHILDREN = 20, 16
# What it answers if it is asked.
CAN = ["dump"]


class Reporter:
    """Makes the report; used by the heartbeat's thread."""

    def __init__(self, settings: WorkerSettings, executor: Executor, outbox: Outbox, tallies: Tallies) -> None:
        self._settings = settings
        self._executor = executor
        self._outbox = outbox
        self._tallies = tallies
        self._settled, self._said_at = 0, time.monotonic()

    def said(self, claimer: Claimer, heartbeat: Heartbeat, listener: Listener) -> str:
        """The report as JSON of at most LONGEST bytes."""
        now = time.monotonic()
        running = sorted(self._executor.running(), key=lambda each: -each[1])
        children = self._executor.pids()
        settled, seconds = self._tallies.total - self._settled, now - self._said_at
        self._settled, self._said_at = self._tallies.total, now
        report: dict[str, object] = {
            "busy": len(running),
            "slots": self._settings.tasks.concurrency,
            "load": self._executor.load(),
            "outbox": len(self._outbox),
            "settled_per_s": round(settled / seconds, 1) if seconds > 0 else 0,
            "rss": memory_of(os.getpid()),
            "cpu_s": round(time.process_time(), 1),
            "children": [[pid, memory_of(pid)] for pid in children[:MOST_CHILDREN]],
            "lag_ms": math.ceil(1000 * max(0.0, time.monotonic() - claimer.loop.turned_at))
            if claimer.loop.busy_since is not None
            else 0,
            "beat_ms": round(1000 * heartbeat.answered_in, 1),
            "quiet": claimer.is_quiet,
            "listening": not self._settings.poll_only and listener.loop.connected and not listener.deaf,
            "executor": self._settings.executor,
            "release": release_here(),
            "pgqueue": __version__,
            "python": platform.python_version(),
            "can": CAN,
        }
        named = [[str(claim.id), claim.claim, round(seconds, 1)] for claim, seconds in running[:MOST_NAMED]]
        while len(text := json.dumps({**report, "running": named}, separators=(",", ":"))) > LONGEST and named:
            named.pop()
        return text
