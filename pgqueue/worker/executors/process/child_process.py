"""The worker's view of one child process: how it is started, fed, understood and ended."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from math import inf
from time import monotonic
from typing import Any
from uuid import UUID

from pgqueue.job import Claim, each_of
from pgqueue.job_log import Allowance
from pgqueue.job_progress import Gauge
from pgqueue.worker.attempts.notices import Notice
from pgqueue.worker.executors.base import Settings
from pgqueue.worker.executors.process import messages, wire
from pgqueue.worker.executors.process.channel import LOST_CHANNEL
from pgqueue.worker.executors.process.environment import child_environment
from pgqueue.worker.executors.process.kill_reasons import KillCause, KillReason
from pgqueue.worker.executors.watch import Watch

# A child is fed ahead by about this much work, seconds: what a round trip may cost while it has something to do.
_FEED_AHEAD = 0.020
_MOST_AHEAD = 200
# What a job costs its child at least, beside its own code, seconds.
_LEAST_COST = 15e-6
# What a job is thought to take before the first one has ended, seconds: one is fed ahead.
_FIRST_GUESS = 0.010
# How long a child that was told to stop may take, and then again after SIGTERM, seconds.
_GRACE = 0.5
_CHUNK = 1 << 18
# How long the end of a killed child is waited for, seconds: a file system that hangs can put it off for ever.
_BURIAL = 5.0


class ChildProcess:
    """One child: its process, its socket, and the claims it was fed. Used by the executor's thread alone."""

    def __init__(self, settings: Settings) -> None:
        self.channel, theirs = socket.socketpair()
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "pgqueue.worker.executors.process.child", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                env=child_environment(settings),
            )
        except BaseException:
            self.channel.close()
            raise
        finally:
            theirs.close()
        self.channel.setblocking(False)
        self.ready = self.broken = self.gone = self.recalled = False
        self.spawned_at = monotonic()
        # Whether it said what is no message, or makes no sense.
        self.garbled = False
        # Whether it was ended because it was not ready in time.
        self.start_timed_out = False
        self.leaving: float | None = None
        # Claims by number, with the monotonic() at which they came to the executor, in the order they were fed.
        self.fed: dict[int, tuple[Claim, float]] = {}
        self.running: int | None = None
        self.since = 0.0
        # When it last got, began, ended or gave back a claim.
        self.moved_at = 0.0
        # Over the running job, from the first look at it on; and where that was seen when its time was up.
        self.watch: Watch | None = None
        self.hung: str | None = None
        # Its answer to where its job is: of which number, and where.
        self.here: tuple[int | None, str | None] | None = None
        # Of what it was fed, the numbers that were cancelled before they began; and jobs of batches that were, while
        # others of theirs were not.
        self.cancelled: set[int] = set()
        self.unwanted: dict[int, frozenset[UUID]] = {}
        # Why it is being ended, and when SIGKILL follows SIGTERM.
        self.kill_reason: KillReason | None = None
        self._kill_at = inf
        # Whether it takes no more jobs, and ends when it has done what it has.
        self.recycled = False
        self.weigh_at = 0.0
        self.has_run = False
        self.left_to_run = settings.max_jobs_per_child or inf
        self.pace = _FIRST_GUESS
        self.unsent = bytearray()
        # How far the running job is, and until when it is to run by monotonic(), once it says so.
        self.gauge: Gauge | None = None
        self.extended_until: float | None = None
        # What it has told of a result whose job has not ended yet; and of jobs of a batch that has not, by place.
        self.result: str | None = None
        self.brought: str | None = None
        self.items: dict[int, tuple[object, str | None, str | None]] = {}
        # By place in its batch.
        self._allowances: dict[int, Allowance] = {}
        # How many tasks it has told of since it was ready.
        self.found = 0
        self._unpacker = messages.Unpacker(messages.LONGEST_SAID)
        self.say(messages.START, wire.settings_to_wire(settings), list(map(str, sys.path)), os.getpid())

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def is_idle(self) -> bool:
        """Whether it has nothing to do, and nothing to become."""
        return self.ready and not self.fed and not self.recycled and self.kill_reason is None

    @property
    def work(self) -> float:
        """About how many seconds it will take for what it was fed; 0 if it is not ready for work."""
        return len(self.fed) * (self.pace + _LEAST_COST) if self.ready else 0.0

    @property
    def is_cancelled(self) -> bool:
        """Whether the job that it runs was cancelled."""
        return self.watch is not None and self.watch.cancelled

    def runs_of(self, worker: int) -> bool:
        """Whether it runs a job that this worker id claimed."""
        return self.running is not None and self.running in self.fed and self.fed[self.running][0].worker == worker

    def room(self, now: float) -> int:
        """How many more claims it may be fed: none until half of what it has is used up."""
        if self.recycled or self.kill_reason is not None:
            return 0
        slow = self.running is not None and now - self.since > _FEED_AHEAD
        ahead = 0 if slow else min(_MOST_AHEAD, int(_FEED_AHEAD / self.pace))
        if len(self.fed) > (ahead + 1) // 2:
            return 0
        return int(min(ahead + 1, self.left_to_run) - len(self.fed))

    def feed(self, entries: list[tuple[int, Claim, float]]) -> None:
        """Hand it claims."""
        if not self.fed:
            self.moved_at = monotonic()
        for number, claim, since in entries:
            self.fed[number] = claim, since
        self.say(messages.RUN, [wire.fed_to_wire(number, claim) for number, claim, _ in entries])

    def started(self, number: int) -> None:
        """It has begun a claim. Raises Nonsense if it was not fed that, or runs another one."""
        if number not in self.fed or self.running is not None:
            raise wire.Nonsense(f"{number} cannot have begun")
        self.running = number
        self.since = self.moved_at = monotonic()
        self.watch = None
        self.gauge = self.extended_until = None
        self._allowances.clear()

    def ended(self, number: int, elapsed: float) -> None:
        """It has finished what it runs."""
        self.moved_at = monotonic()
        claim, _ = self.fed.pop(number)
        self.unwanted.pop(number, None)
        self.items.clear()
        self.running = None
        self.has_run = True
        self.left_to_run -= 1 if type(claim) is Claim else len(each_of(claim))
        if self.left_to_run <= 0:
            self.recycled = True
        # The mean over the last few: quick to notice that jobs became long.
        self.pace += 0.3 * (max(elapsed, 1e-6) - self.pace)

    def allowance_of(self, place: int) -> Allowance:
        """How much more is kept of what the running job says, or that at this place of the running batch."""
        return self._allowances.setdefault(place, Allowance())

    def recall(self) -> None:
        """Ask for the claims back that it has not started."""
        if not self.recalled and len(self.fed) > (self.running is not None):
            self.recalled = True
            self.say(messages.GIVE_BACK)

    def notice(self, notice: Notice) -> None:
        """Have it tell the running job."""
        self.say(messages.NOTICE, self.running, notice.value)

    def tell_unwanted(self) -> None:
        """Have it tell the jobs of the running batch that were cancelled."""
        if self.running is not None and (ids := self.unwanted.get(self.running)):
            self.say(messages.UNWANTED, self.running, [each.hex for each in ids])

    def kill(self, cause: KillCause, said: str, grace: float) -> None:
        """End it for the job that it runs: SIGTERM to its process group, and after `grace` seconds SIGKILL."""
        if self.kill_reason is None and self.running is not None:
            self.kill_reason = KillReason(self.running, cause, said)
            self._kill_at = monotonic() + grace
            self.signal(signal.SIGTERM if grace else signal.SIGKILL)

    def finish_off(self, now: float) -> None:
        """The next step with one that is being killed."""
        if now >= self._kill_at:
            self.signal(signal.SIGKILL)

    def leave(self, now: float, deadline: float | None) -> None:
        """One step of its way out: give back, finish until `deadline`, stop, SIGTERM, SIGKILL."""
        if self.leaving is None:
            self.recall()
            if deadline is not None and now > deadline:
                self.leaving = now
                self.signal(signal.SIGTERM)
            elif not self.fed:
                self.leaving = now
                self.say(messages.STOP)
        elif now > self.leaving + 2 * _GRACE:
            self.signal(signal.SIGKILL)
        elif now > self.leaving + _GRACE:
            self.signal(signal.SIGTERM)

    def say(self, *message: Any) -> None:
        """Send a message, as far as the socket takes it; flush() sends the rest."""
        self.unsent += messages.pack_order(*message)
        self.flush()

    def flush(self) -> None:
        """Send what the socket takes."""
        with suppress(OSError):
            while self.unsent:
                del self.unsent[: self.channel.send(memoryview(self.unsent)[:_CHUNK])]

    def hear(self) -> list[list[Any]] | None:
        """What it said since; None if it will say nothing more."""
        try:
            data = self.channel.recv(_CHUNK)
        except BlockingIOError:
            return []
        except OSError:
            return None
        return self._understood(data) if data else None

    def signal(self, number: signal.Signals) -> None:
        """Signal it and every process it started that is still in its group."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def end(self) -> str:
        """Make sure that it has ended, and say how."""
        self.signal(signal.SIGKILL)
        try:
            code = self.process.wait(_BURIAL)
        except subprocess.TimeoutExpired:
            return "no end at all: its system holds it, as for a disk that does not answer,"
        if code == LOST_CHANNEL:
            return f"exit code {code}, because a job had closed its channel to the worker,"
        if code >= 0:
            return f"exit code {code}"
        with suppress(ValueError):
            return f"signal {-code} ({signal.Signals(-code).name})"
        return f"signal {-code}"

    def last_words(self) -> list[list[Any]]:
        """What it said before it ended, and nobody had heard yet."""
        heard: list[list[Any]] = []
        with self.channel, suppress(OSError):
            while data := self.channel.recv(_CHUNK):
                heard += self._understood(data)
        return heard

    def _understood(self, data: bytes) -> list[list[Any]]:
        heard = self._unpacker.feed(data)
        self.garbled = self.garbled or self._unpacker.torn
        return heard
