"""Declarations: what the database must know of this worker's tasks before any of their jobs runs.

That is which may run at most once: if the worker vanishes, the reaper buries their jobs, because nobody knows how far
they came. And which jobs follow theirs: whoever writes the end of a job enqueues them, with the code at hand or not.
A task that is met only later, in a module that a job imported, waits until it was declared.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from pgqueue.store import execute, follow_ups, workers
from pgqueue.worker.loop import Connection

# Seconds between two looks for tasks that were met meanwhile; it costs nothing.
LOOK_EVERY = 1.0


class Declarations:
    """What the executor knows against what the database was told; `told` hears what it may run.

    `once()` are the targets that may run at most once, `follows()` what follows jobs, by target, `targets()` all.
    """

    def __init__(
        self,
        worker: int,
        once: Callable[[], frozenset[str]],
        follows: Callable[[], frozenset[tuple[str, str]]],
        targets: Callable[[], frozenset[str]],
        told: Callable[[Collection[str]], None],
    ) -> None:
        self._worker = worker
        self._once = once
        self._follows = follows
        self._targets = targets
        self._tell = told
        self._declared: frozenset[str] = frozenset()
        # What was said to follow the jobs of a target, last.
        self._followed: dict[str, str] = {}
        # Those that nothing follows: what was said of them by older code is taken back, once.
        self._plain: frozenset[str] = frozenset()

    def known(self) -> frozenset[str]:
        """The targets to enlist with."""
        return self._once()

    def made(self, targets: frozenset[str]) -> None:
        """The database knows of these."""
        self._declared |= targets
        self._tell(self._declared | self._followed.keys())

    def look(self, conn: Connection) -> float:
        """Declare what is new; answers the seconds until the next look."""
        self.declare_follows(conn)
        new = self._once() - self._declared
        if new:
            # Without a row there is no lease either: the next heartbeat says so.
            known = execute(conn, workers.declare(self._worker, new))
            if known:
                self.made(new)
        return LOOK_EVERY

    def declare_follows(self, conn: Connection) -> None:
        """Declare what follows jobs of this worker's tasks, as far as that is new."""
        follows = dict(self._follows())
        new = follows.items() - self._followed.items()
        plain = self._targets() - follows.keys() - self._plain
        if not new and not plain:
            return
        execute(conn, follow_ups.declare(new, plain))
        self._plain |= plain
        if new:
            self._followed |= follows
            self.made(frozenset())
