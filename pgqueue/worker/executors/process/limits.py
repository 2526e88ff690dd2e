"""Looks at one child after the other: is its job out of time, was it cancelled, does it use too much memory?"""

from __future__ import annotations

import signal
from collections.abc import Mapping

from pgqueue.worker.attempts.notices import Notice
from pgqueue.worker.attempts.task_spec import TaskSpec
from pgqueue.worker.executors.base import Settings
from pgqueue.worker.executors.process.child_process import ChildProcess
from pgqueue.worker.executors.process.kill_reasons import KillCause
from pgqueue.worker.executors.process.memory import memory_of
from pgqueue.worker.executors.watch import Due, Watch

# How long a job runs before what was fed behind it is taken back, seconds.
_LONG = 1.0
# How long a child may take to begin what it was fed, while it runs nothing, seconds: it takes it microseconds.
_STALLED = 15.0
# How often the memory of a child is looked at, seconds.
_MEMORY_EVERY = 1.0


class LimitEnforcer:
    """Decides what is to be done about a child; used by the thread that serves the children alone."""

    def __init__(self, settings: Settings, specs: Mapping[str, TaskSpec]) -> None:
        self._settings = settings
        self._specs = specs

    def is_overdue(self, child: ChildProcess, now: float) -> bool:
        """Whether the child is about to be ended, as far as is known yet."""
        return child.kill_reason is None and child.watch is not None and now >= child.watch.end_at

    def look(self, child: ChildProcess, now: float, deadline: float | None) -> None:
        """Do what is due: tell, recall, recycle, end."""
        if child.kill_reason is not None:
            child.finish_off(now)
            return
        if not child.ready and now > child.spawned_at + self._settings.start_limit:
            child.start_timed_out = True
            child.signal(signal.SIGKILL)
            return
        if child.running is None and child.fed and now > child.moved_at + _STALLED:
            # Something in it reads what is meant for the child itself; what it was fed goes to others.
            child.signal(signal.SIGKILL)
            return
        self._look_at_job(child, now)
        if self._settings.max_memory_per_child is not None and now >= child.weigh_at:
            child.weigh_at = now + _MEMORY_EVERY
            self._weigh(child, now, self._settings.max_memory_per_child)
        if deadline is not None or child.recycled:
            child.leave(now, deadline)
        elif child.running is not None and now - child.since > _LONG:
            child.recall()

    def cancel(self, child: ChildProcess, now: float) -> None:
        """The running job was cancelled: tell it, and end it a grace later."""
        watch = self._watch(child)
        if watch is not None and watch.cancel(now + self._settings.cancel_grace):
            child.notice(Notice.CANCELLED)

    def extend(self, child: ChildProcess, until: float) -> None:
        """The running job asks to run until then."""
        child.extended_until = until
        if (watch := self._watch(child)) is not None:
            watch.extend(until)

    def _look_at_job(self, child: ChildProcess, now: float) -> None:
        watch = child.watch or self._watch(child)
        match watch and watch.due(now):
            case Due.NOTICE:
                child.notice(Notice.TIMEOUT)
            case Due.END if watch is not None:
                cause = KillCause.CANCELLED if watch.cancelled else KillCause.TIMEOUT
                child.kill(cause, watch.said, self._settings.grace)

    def _watch(self, child: ChildProcess) -> Watch | None:
        if child.watch is None and child.running is not None:
            claim, _ = child.fed[child.running]
            child.watch = Watch.over(claim, self._specs.get(claim.target), child.since, self._settings.grace)
            child.watch.extend(child.extended_until)
        return child.watch

    def _weigh(self, child: ChildProcess, now: float, most: int) -> None:
        """Above the limit a child ends after its job; a job that has run for a look already, with its child."""
        if not child.has_run and child.running is None:
            # Too large before its first job: the next one would be, too.
            return
        used = memory_of(child.pid)
        if used <= most:
            return
        child.recycled = True
        if child.running is not None and now - child.since >= _MEMORY_EVERY:
            said = f"used {used / 1e6:,.0f} MB, more than the {most / 1e6:,.0f} MB a child may, and was killed"
            child.kill(KillCause.MEMORY, said, grace=0.0)
