"""Where children are started: as many as there are to be, and later and later while they cannot be."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from time import monotonic

from pgqueue.events import HostFailed, Observer, Trouble
from pgqueue.host import lack_of
from pgqueue.worker.executors.base import Settings
from pgqueue.worker.executors.process.child_process import ChildProcess

_LONGEST_BACKOFF = 30.0
# One that dies while it imports may have been killed from outside; so many times in a row it is the app.
_MOST_FAILURES = 4


class Spawner:
    """Starts children; `up` is set when all were ready for the first time, or could not be: `broken` says why."""

    def __init__(self, settings: Settings, observe: Observer) -> None:
        self.up = threading.Event()
        self.broken = ""
        # Of what this machine had too little for the last child that could not be started.
        self.lack: str | None = None
        self._settings = settings
        self._observe = observe
        self._failures = 0
        self._failed_at = self._respawn_at = 0.0

    def missing(self, children: Sequence[ChildProcess]) -> Iterator[ChildProcess]:
        """Start the children that are missing; one that is to leave is missing already."""
        if monotonic() < self._respawn_at:
            return
        for _ in range(self._settings.concurrency - sum(not child.recycled for child in children)):
            try:
                yield ChildProcess(self._settings)
            except OSError as error:
                self.lack = lack_of(error, forking=True)
                if self.lack is not None:
                    self._observe(HostFailed("process executor", self.lack))
                self.fail(f"no child process could be started: {error}", monotonic())
                return

    def ready(self, children: Sequence[ChildProcess]) -> None:
        """One of them is ready."""
        self._failures = 0
        if len(children) == self._settings.concurrency and all(each.ready for each in children):
            self.up.set()

    def miss(self, child: ChildProcess, how: str) -> None:
        """A child has ended before it was ready."""
        apps, limit = self._settings.modules, self._settings.start_limit
        if child.start_timed_out:
            self.give_up(f"importing {apps} took longer than {limit:g} s")
        else:
            self.fail(f"a child process ended with {how} while it imported {apps}", child.spawned_at)

    def fail(self, why: str, spawned_at: float) -> None:
        """A child that was started then was never ready: another is, unless a worker that just begins has none left.

        Those that were started before the last failure are part of it: what kills one may kill all.
        """
        if spawned_at < self._failed_at or self.broken:
            return
        self._failed_at = monotonic()
        self._failures += 1
        self._respawn_at = self._failed_at + min(_LONGEST_BACKOFF, 0.25 * 2**self._failures)
        if self._failures >= _MOST_FAILURES and not self.up.is_set():
            self.give_up(why)
        else:
            self._observe(Trouble("process executor", why, "the next try follows; jobs wait meanwhile"))

    def give_up(self, why: str) -> None:
        """The app itself is at fault: the end of a worker that just begins, a trouble of one that runs."""
        if not self.up.is_set():
            self.broken = why
            self.up.set()
        else:
            self.fail(why, monotonic())
