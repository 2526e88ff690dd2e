"""Executors without a worker round them: what they report, and what they let their observer hear."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import Any

from pgqueue.events import Event, Finished
from pgqueue.job import Claim
from pgqueue.outcome import Settlement
from pgqueue.tasks import Modules
from pgqueue.worker.executors import EXECUTORS, Executor, Settings
from tests.worker.claims import TASKS

KINDS = sorted(EXECUTORS)
LIMIT = 60.0


class Bench:
    """One executor, what it has reported, and what it has let its observer hear."""

    def __init__(self, kind: str, concurrency: int = 2, apps: Sequence[str] = (TASKS,), **settings: Any) -> None:
        self.finished: list[Finished] = []
        self.events: list[Event] = []
        self.retired: list[str] = []
        given = {"dsn": "", "modules": Modules(tuple(apps)), **settings}
        self.executor: Executor = EXECUTORS[kind](
            Settings(concurrency=concurrency, **given), self.finished.extend, self.events.append, self.retired.append
        )

    def run(self, claims: Sequence[Claim]) -> list[Settlement]:
        """Submit claims and wait for all of them; their settlements in the same order."""
        self.executor.submit(claims)
        ids = {each.id for each in claims}
        wait_until(lambda: ids <= {each.claim.id for each in tuple(self.finished)})
        by_id = {each.claim.id: each.settlement for each in self.finished}
        return [by_id[each.id] for each in claims]

    @property
    def children(self) -> set[int]:
        return children_of(os.getpid())


def children_of(parent: int) -> set[int]:
    """The process ids of the living children that run jobs for `parent`."""
    lines = subprocess.run(["ps", "-A", "-ww", "-o", "pid=,ppid=,stat=,args="], capture_output=True, text=True).stdout
    rows = [line.split(None, 3) for line in lines.splitlines()]
    return {
        int(pid)
        for pid, ppid, stat, command in rows
        if int(ppid) == parent and not stat.startswith("Z") and "pgqueue.worker.executors.process.child" in command
    }


def is_alive(pid: int) -> bool:
    stat = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout.strip()
    return bool(stat) and not stat.startswith("Z")


def wait_until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.001)


Make = Callable[..., Bench]
