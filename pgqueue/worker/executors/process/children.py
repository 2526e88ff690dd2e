"""The children of a process executor, and the thread that serves them all through a selector.

It feeds them a little ahead, so that none waits for the next job; what waits behind a job that turns out long is taken
back and given to others. Now and then it looks at each: at its job's limits, its memory, and whether it lives.
"""

from __future__ import annotations

import selectors
import signal
from collections import deque
from collections.abc import Callable
from time import monotonic, sleep
from typing import Any
from uuid import UUID

from pgqueue.events import ChildEnded, Observer
from pgqueue.job import Claim
from pgqueue.worker.executors.base import Lines, Settings
from pgqueue.worker.executors.batches import are_all, ids_among
from pgqueue.worker.executors.process import messages
from pgqueue.worker.executors.process.child_process import ChildProcess
from pgqueue.worker.executors.process.feeder import Feeder
from pgqueue.worker.executors.process.finished_claims import FinishedClaims
from pgqueue.worker.executors.process.kill_reasons import KillCause
from pgqueue.worker.executors.process.leaving import Leaving, LeftBehind
from pgqueue.worker.executors.process.limits import LimitEnforcer
from pgqueue.worker.executors.process.reports import Reports
from pgqueue.worker.executors.process.spawner import Spawner
from pgqueue.worker.executors.process.wakeup import Wakeup

# How often the children are looked at: while they have work, while they have none, and while they leave; seconds.
_BUSY, _IDLE, _LEAVING = 0.1, 1.0, 0.02
# So long what they say is gathered while all of them have work: each look costs as much as a job.
_GATHER = 0.0005


class Children:
    """All children. Only serve() writes, but for what wake(), ask(), leave() and kill() set."""

    # Open from open() on.
    _selector: selectors.BaseSelector

    def __init__(
        self,
        settings: Settings,
        waiting: deque[tuple[Claim, float]],
        finished: FinishedClaims,
        observe: Observer,
        lines: Lines,
    ) -> None:
        self.spawner = Spawner(settings, observe)
        self._settings, self._observe, self._lines = settings, observe, lines
        self._feeder, self._finished = Feeder(waiting, finished), finished
        self._limits = LimitEnforcer(settings, finished.specs)
        self._reports = Reports(finished, self._feeder, self._limits, lines, self._ready, self.spawner.give_up)
        self._deadline: float | None = None
        self._killed, self._look_at = False, 0.0
        self._orders, self._wakeup = deque[Callable[[], None]](), Wakeup()
        self._children: list[ChildProcess] = []
        # What a child that begins is told, too: the newest of each kind, for each worker id.
        self._standing: dict[tuple[int, int | None], tuple[Any, ...]] = {}
        self._leaving = Leaving(self._feeder, finished)

    # From any thread.

    def open(self) -> None:
        """Open what serve() needs."""
        self._selector = selectors.DefaultSelector()
        self._wakeup.register(self._selector)

    def wake(self) -> None:
        """Wake the thread."""
        self._wakeup.wake()

    def ask(self, order: Callable[[], None]) -> None:
        """Have the thread do something."""
        self._orders.append(order)
        self.wake()

    def leave(self, deadline: float) -> None:
        """Have the children finish what they run, and end them at the deadline."""
        self._deadline = deadline
        self.wake()

    def fence(self) -> None:
        """End all children at once; what they have said until then counts."""
        # Past already, so that what they run is left over, and no crash of theirs.
        self._deadline = monotonic() - 1.0
        self._kill_all()

    def alive(self) -> tuple[ChildProcess, ...]:
        """The children that there are now; from any thread, to look at."""
        return tuple(self._children)

    def kill(self) -> None:
        """End all children at once."""
        self._killed = self._finished.closed = True
        self._kill_all()

    def _kill_all(self) -> None:
        for child in self.alive():
            child.signal(signal.SIGKILL)
        self.wake()

    # The thread.

    def serve(self) -> None:
        """Serve the children until there are none any more, or kill()."""
        while not self._killed and not self._is_over():
            self._fill_up()
            if self._all_have_work():
                sleep(_GATHER)
            for key, _ in self._selector.select(max(0.0, self._look_at - monotonic())):
                if key.data is None:
                    self._obey_orders()
                elif not key.data.gone:
                    self._turn(key.data)
            now = monotonic()
            if now >= self._look_at or self._deadline is not None:
                self._look_after(now)
            if self._leaving:
                self._leaving.look(self._children)
            # Whatever is fed now was claimed after what was ordered for it.
            if self._orders:
                self._obey_orders()
            self._feed(now)
            self._finished.flush()
            self._lines.ring()
        self._clear()

    def cancel(self, ids: frozenset[UUID], of: int | None) -> None:
        """Tell running jobs that they were cancelled, and start none of the others."""
        self._feeder.cancel(ids, of)
        for child in self._children:
            for number, (claim, _) in child.fed.items():
                if told := ids_among(claim, ids, of):
                    child.unwanted[number] = told | child.unwanted.get(number, frozenset())
                    if are_all(claim, child.unwanted[number]):
                        child.cancelled.add(number)
            self._reports.tell_if_cancelled(child)
            self._listen_to(child)

    def tell(self, of: int | None, *message: Any) -> None:
        """Say something to the children, those that follow, too, about the jobs of this worker id or of all."""
        if self._standing.get((message[0], of)) != message:
            self._standing[message[0], of] = message
            self.tell_all(lambda child: child.say(*message))

    def forget(self, worker: int) -> None:
        """No more jobs of this worker id come."""
        self._standing = {key: message for key, message in self._standing.items() if key[1] != worker}
        self._leaving.forget(worker)
        self.tell_all(lambda child: child.say(messages.LEAVE, worker))

    def end(self, worker: int, left_behind: LeftBehind) -> None:
        """End what runs of this worker id, and start no more; `left_behind` gets all that was not reported, once."""
        self._leaving.begin(worker, left_behind, self._children)
        for child in self._children:
            self._listen_to(child)
        self._look_at = 0.0

    def tell_all(self, tell: Callable[[ChildProcess], None]) -> None:
        """Say something to each child."""
        for child in self._children:
            tell(child)
            self._listen_to(child)

    def crash_running(self, of: int | None) -> None:
        """Kill the children that run a job."""
        for child in self.alive():
            if of is None or child.runs_of(of):
                child.kill(KillCause.ASKED, "was killed on request while it ran the job", grace=0.0)

    def _obey_orders(self) -> None:
        self._wakeup.drain()
        while self._orders:
            self._orders.popleft()()

    def _is_over(self) -> bool:
        return self._deadline is not None and not self._children

    def _turn(self, child: ChildProcess) -> None:
        child.flush()
        heard = child.hear()
        self._reports.heed(child, heard or [])
        if child.garbled:
            child.kill(KillCause.GARBLED, "was ended, because something in it wrote nonsense to its worker", grace=0.0)
        if heard is None or child.garbled:
            self._remove(child)
        else:
            self._listen_to(child)

    def _ready(self) -> None:
        self.spawner.ready(self._children)

    def _fill_up(self) -> None:
        if self._deadline is not None:
            return
        for child in self.spawner.missing(tuple(self._children)):
            self._children.append(child)
            self._selector.register(child.channel, selectors.EVENT_READ, child)
            for message in self._standing.values():
                child.say(*message)
            if self._killed:
                return

    def _all_have_work(self) -> bool:
        """Whether nobody waits for what could be done now: what children say meanwhile is heard together."""
        return self._deadline is None and min((child.work for child in self._children), default=0.0) > 2 * _GATHER

    def _feed(self, now: float) -> None:
        if not self._feeder or self._deadline is not None:
            return
        self._look_at = min(self._look_at, now + _BUSY)
        for child in self._feeder.feed(self._children, now):
            self._listen_to(child)

    def _listen_to(self, child: ChildProcess) -> None:
        """Hear of the child's socket when it can be read, and written if something is left to send."""
        if child.gone:
            return
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if child.unsent else 0)
        if self._selector.get_key(child.channel).events != events:
            self._selector.modify(child.channel, events, child)

    def _look_after(self, now: float) -> None:
        for child in tuple(self._children):
            if child.process.poll() is not None:
                self._remove(child)
                continue
            if self._limits.is_overdue(child, now):
                # What it has said since may tell that the job has ended, in time to spare its child.
                self._turn(child)
            if not child.gone:
                self._limits.look(child, now, self._deadline)
                self._listen_to(child)
        idle = self._deadline is None and all(child.is_idle for child in self._children)
        full = len(self._children) == self._settings.concurrency
        wait = _LEAVING if self._deadline is not None else _IDLE if idle and full else _BUSY
        self._look_at = now + wait

    def _remove(self, child: ChildProcess) -> None:
        """A child has ended: its running job with it, and what was fed behind that goes to others."""
        self._children.remove(child)
        self._selector.unregister(child.channel)
        child.gone = True
        how = child.end()
        self._reports.heed(child, child.last_words())
        if (number := child.running) is not None and number in child.fed:
            claim, _ = child.fed.pop(number)
            is_over = child.kill_reason is None and self._deadline is not None and monotonic() > self._deadline
            if is_over or claim.worker in self._leaving:
                self._finished.leave_running(child, claim)
            else:
                self._finished.end_with(child, claim, number, how)
        for number in sorted(child.fed, reverse=True):
            self._feeder.take_back(child, number)
        if self._deadline is None and not child.broken and (child.kill_reason or not child.recycled):
            self._observe(ChildEnded(child.pid, f"{how}: {child.kill_reason.said}" if child.kill_reason else how))
            if not child.ready:
                self.spawner.miss(child, how)

    def _clear(self) -> None:
        """The thread's last act: no child lives, and what was not reported is left over."""
        for child in self._children:
            child.gone = True
            child.end()
            self._reports.heed(child, child.last_words())
            self._finished.leave_fed(child)
        self._children.clear()
        self._feeder.close()
        self._finished.flush()
        self._selector.close()
        self._wakeup.close()
