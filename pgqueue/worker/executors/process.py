"""Runs claims in child processes: a crash, a hard exit or an endless C call costs the attempt that it happens in.

One thread of the worker serves all children through a selector. It feeds them a little ahead, so that none waits for
the next job; what waits behind a job that turns out long is taken back and given to others.
"""

from __future__ import annotations

import selectors
import signal
import socket
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from math import ceil
from time import monotonic
from typing import Any

from pgqueue.errors import AppError
from pgqueue.events import ChildEnded, Finished, Observer, Trouble
from pgqueue.job import Claim
from pgqueue.outcome import Crashed, Terms, error_report, judge
from pgqueue.worker.executors import wire
from pgqueue.worker.executors.base import Leftover, Report, Settings, take_old
from pgqueue.worker.executors.children import ChildProcess

# How long a job runs before what was fed behind it is taken back, seconds.
_LONG = 1.0
# How often children are looked at when none of them says anything, seconds.
_TICK = 0.25
# How long the modules of the tasks may take to import, seconds.
_START_LIMIT = 120.0
_LONGEST_BACKOFF = 30.0


class ProcessExecutor:
    """`concurrency` child processes, and the thread that serves them."""

    # Open from start() on.
    _bell: socket.socket
    _rope: socket.socket
    _selector: selectors.BaseSelector

    def __init__(self, settings: Settings, report: Report, observe: Observer) -> None:
        self.concurrency = settings.concurrency
        self._settings = settings
        self._report = report
        self._observe = observe
        self._waiting: deque[tuple[Claim, float]] = deque()
        self._taken = self._returned = 0
        self._deadline: float | None = None
        self._killed = False
        self._broken = ""
        self._up = threading.Event()
        self._thread: threading.Thread | None = None
        self._rung = False
        # From here on only the thread writes.
        self._children: list[ChildProcess] = []
        self._known: dict[str, wire.Known] = {}
        self._numbers = count()
        self._ended: list[Finished] = []
        self._reported = 0
        self._left: list[Leftover] = []
        self._failures = 0
        self._respawn_at = 0.0

    def start(self) -> None:
        """Start the children. Raises AppError if one of them cannot import the tasks' modules."""
        if self._thread is not None:
            return
        self._bell, self._rope = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        self._thread = threading.Thread(target=self._serve, name="pgqueue-children", daemon=True)
        self._thread.start()
        in_time = self._up.wait(_START_LIMIT)
        if not in_time:
            self._broken = f"importing {', '.join(self._settings.apps)} took longer than {_START_LIMIT:.0f} s"
        if self._broken:
            self.kill()
            raise AppError(self._broken)

    def submit(self, claims: Sequence[Claim]) -> None:
        """Take over claims."""
        now = monotonic()
        self._taken += len(claims)
        self._waiting.extend([(claim, now) for claim in claims])
        self._ring()

    def load(self) -> int:
        """Claims taken over and not yet reported or given back."""
        return self._taken - self._returned - self._reported

    def give_back(self, waited: float) -> list[Claim]:
        """Hand back the claims that have waited longer than `waited` seconds for a child."""
        old = take_old(self._waiting, waited)
        self._returned += len(old)
        return old

    def stop(self, timeout: float) -> list[Leftover]:
        """Wait for what runs, end the children that still run after `timeout` seconds, and return what is left."""
        if self._thread is None:
            return []
        self._deadline = monotonic() + timeout
        self._ring()
        self._thread.join(timeout + 5.0)
        left, self._left = self._left, []
        return left

    def kill(self) -> None:
        """End all children at once; nothing more is reported."""
        self._killed = True
        for child in tuple(self._children):
            child.signal(signal.SIGKILL)
        if self._thread is not None:
            self._ring()
            self._thread.join(5.0)

    def _ring(self) -> None:
        if not self._rung:
            self._rung = True
            with suppress(OSError):
                self._bell.send(b"!")

    # The thread.

    def _serve(self) -> None:
        self._rope.setblocking(False)
        self._selector.register(self._rope, selectors.EVENT_READ, None)
        while not self._killed and not self._is_over():
            self._fill_up()
            for key, _ in self._selector.select(self._patience()):
                if key.data is None:
                    with suppress(BlockingIOError):
                        self._rope.recv(4096)
                    # Only now: a ring that came before the recv() left nothing behind, and is served below.
                    self._rung = False
                else:
                    self._turn(key.data)
            self._look_after(monotonic())
            self._feed(monotonic())
            self._flush()
        self._clear()

    def _is_over(self) -> bool:
        return self._deadline is not None and not self._children

    def _patience(self) -> float | None:
        """Until when nothing need be done if nobody says anything."""
        idle = all(child.ready and not child.fed for child in self._children)
        if idle and len(self._children) == self.concurrency and self._deadline is None:
            # Children that nobody uses may end unseen for as long.
            return 5.0
        return _TICK if self._deadline is None else 0.02

    def _turn(self, child: ChildProcess) -> None:
        child.flush()
        messages = child.hear()
        if messages is None:
            self._bury(child)
            return
        for message in messages:
            self._obey(child, message)
        self._watch(child)

    def _obey(self, child: ChildProcess, message: tuple[Any, ...]) -> None:
        match message:
            case (wire.MOVED, ended, number, known):
                if ended is not None:
                    self._ended.append(wire.finished(child.ended(ended), ended))
                if number is not None:
                    child.started(number)
                if known is not None:
                    self._known[known.target] = known
            case (wire.GIVEN_BACK, numbers):
                child.recalled = False
                self._waiting.extendleft(child.fed.pop(number) for number in reversed(numbers))
            case (wire.READY, tasks):
                child.ready = True
                self._failures = 0
                self._known.update({known.target: known for known in tasks})
                if len(self._children) == self.concurrency and all(each.ready for each in self._children):
                    self._up.set()
            case (wire.BROKEN, why):
                child.broken = True
                self._fail(why)

    def _fail(self, why: str) -> None:
        """A child cannot be started: the end of a worker that just begins, a trouble of one that runs."""
        self._failures += 1
        self._respawn_at = monotonic() + min(_LONGEST_BACKOFF, 0.25 * 2**self._failures)
        if self._up.is_set() and not self._broken:
            self._observe(Trouble("process executor", why, "the next try follows; jobs wait meanwhile"))
        else:
            self._broken = self._broken or why
            self._up.set()

    def _fill_up(self) -> None:
        while len(self._children) < self.concurrency and self._deadline is None and monotonic() >= self._respawn_at:
            try:
                child = ChildProcess(self._settings)
            except OSError as error:
                self._fail(f"no child process could be started: {error}")
                return
            self._children.append(child)
            self._selector.register(child.channel, selectors.EVENT_READ, child)
            if self._killed:
                return

    def _feed(self, now: float) -> None:
        if not self._waiting or self._deadline is not None:
            return
        ready = sorted((child for child in self._children if child.ready), key=lambda child: len(child.fed))
        if not ready:
            return
        share = ceil(len(self._waiting) / len(ready))
        for child in ready:
            entries = []
            with suppress(IndexError):
                for _ in range(min(share, child.room(now))):
                    entries.append((next(self._numbers), *self._waiting.popleft()))
            if entries:
                child.feed(entries)
                self._watch(child)

    def _flush(self) -> None:
        ended, self._ended = self._ended, []
        if ended and not self._killed:
            self._report(ended)
            self._reported += len(ended)

    def _watch(self, child: ChildProcess) -> None:
        """Hear of the child's socket when it can be read, and written if something is left to send."""
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if child.unsent else 0)
        if self._selector.get_key(child.channel).events != events:
            self._selector.modify(child.channel, events, child)

    def _look_after(self, now: float) -> None:
        for child in tuple(self._children):
            if child.process.poll() is not None:
                self._bury(child)
                continue
            if self._deadline is not None:
                child.leave(now, self._deadline)
            elif child.running is not None and now - child.since > _LONG:
                child.recall()
            self._watch(child)

    def _bury(self, child: ChildProcess) -> None:
        """A child has ended: its running job has crashed, what was fed behind it goes to others."""
        self._children.remove(child)
        self._selector.unregister(child.channel)
        how = child.end()
        for message in child.last_words():
            self._obey(child, message)
        if child.running is not None and child.running in child.fed:
            claim, _ = child.fed.pop(child.running)
            self._crashed(claim, child, how)
        self._waiting.extendleft(reversed(child.fed.values()))
        if self._deadline is None and not child.broken:
            self._observe(ChildEnded(child.pid, how))
            if not child.ready:
                self._fail(f"a child process ended with {how} while it imported {', '.join(self._settings.apps)}")

    def _crashed(self, claim: Claim, child: ChildProcess, how: str) -> None:
        if self._deadline is not None and monotonic() > self._deadline:
            self._left.append(Leftover(claim, started=True))
            return
        crash = Crashed(error_report("ChildEnded", f"child process {child.pid} ended with {how} while it ran the job"))
        known = self._known.get(claim.target)
        settlement = judge(claim, crash, Terms(known.retry, known.max_attempts) if known else Terms())
        self._ended.append(Finished(claim, settlement, monotonic() - child.since))

    def _clear(self) -> None:
        """The thread's last act: no child lives, and what was not reported is left over."""
        for child in self._children:
            child.end()
            for message in child.last_words():
                self._obey(child, message)
            self._left += [Leftover(claim, started=number == child.running) for number, (claim, _) in child.fed.items()]
        self._children.clear()
        self._flush()
        self._left += [Leftover(claim, started=False) for claim, _ in self._waiting]
        self._waiting.clear()
        self._selector.close()
        self._bell.close()
        self._rope.close()
