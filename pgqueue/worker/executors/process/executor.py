"""Runs claims in child processes: a crash, a hard exit or an endless C call costs the attempt that it happens in.

This is what the claim loop asks; children.py does the work, in a thread of its own.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from time import monotonic, sleep
from uuid import UUID

from pgqueue.company import Batching
from pgqueue.context import WorkerPhase
from pgqueue.errors import AppError, HostExhausted
from pgqueue.events import Finished, Observer
from pgqueue.job import Claim, each_of
from pgqueue.judge import Fallback, Terms, if_lost
from pgqueue.store.dsn import with_password
from pgqueue.worker.allotment import Allotment
from pgqueue.worker.executors.base import (
    Leftover,
    Lines,
    NoLines,
    Report,
    Retire,
    Settings,
    Whereabouts,
    take_old,
)
from pgqueue.worker.executors.batches import all_of, whereabouts_of
from pgqueue.worker.executors.process import messages
from pgqueue.worker.executors.process.child_process import ChildProcess
from pgqueue.worker.executors.process.children import Children
from pgqueue.worker.executors.process.finished_claims import FinishedClaims

# Seconds in which children say where their jobs are, and between two looks whether they have.
_ANSWERS_WITHIN, _LOOK_EVERY = 1.0, 0.01
# Within so many seconds children are gone that were killed, and others have given back what they were fed.
_ENDED_WITHIN = 2.0


class ProcessExecutor:
    """`concurrency` child processes, and the thread that serves them."""

    allotment: Allotment | None = None

    def __init__(
        self,
        settings: Settings,
        report: Report,
        observe: Observer,
        retire: Retire | None = None,
        lines: Lines | None = None,
    ) -> None:
        self.concurrency = settings.concurrency
        self._settings = settings
        self._report = report
        self._waiting: deque[tuple[Claim, float]] = deque()
        self._taken = self._returned = self._reported = 0
        self._finished = FinishedClaims(self._ended)
        self._children = Children(settings, self._waiting, self._finished, observe, lines or NoLines())
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the children.

        Raises AppError if one of them cannot import the tasks' modules, HostExhausted if none can be started.
        """
        if self._thread is not None:
            return
        self._children.open()
        self._thread = threading.Thread(target=self._children.serve, name="pgqueue-children", daemon=True)
        self._thread.start()
        spawner = self._children.spawner
        # Bounded by the spawner: each child by its start limit, and their number.
        while not spawner.up.wait(1.0) and self._thread.is_alive():
            continue
        if spawner.broken:
            self.kill()
            raise (HostExhausted if spawner.lack else AppError)(spawner.broken)

    def submit(self, claims: Sequence[Claim]) -> None:
        """Take over claims."""
        now = monotonic()
        self._taken += len(claims)
        self._waiting.extend([(claim, now) for claim in claims])
        self._children.wake()

    def load(self) -> int:
        """Claims taken over and not yet reported or given back."""
        return self._taken - self._returned - self._reported - self._finished.left_count

    def ended(self) -> int:
        """How many calls its children have ended."""
        return self._reported

    def enter(self, worker: int, dsn: str) -> None:
        """Jobs of this worker id come from there."""
        self._children.ask(partial(self._children.tell, worker, messages.ENTER, worker, with_password(dsn)))

    def leave(self, worker: int) -> None:
        """No more jobs of this worker id come."""
        self._children.ask(partial(self._children.forget, worker))

    def end(self, worker: int) -> list[Leftover]:
        """End the children that run jobs of this worker id, and start none of its others."""
        left_behind: SimpleQueue[list[Leftover]] = SimpleQueue()
        self._children.ask(partial(self._children.end, worker, left_behind))
        with suppress(Empty):
            return left_behind.get(timeout=_ENDED_WITHIN)
        return []

    def give_back(self, waited: float, of: int | None = None) -> list[Claim]:
        """Hand back the claims that have waited longer than `waited` seconds for a child."""
        old = take_old(self._waiting, waited, of)
        self._returned += len(old)
        return all_of(old)

    def cancel(self, ids: Collection[UUID], of: int | None = None) -> None:
        """Tell the jobs that they were cancelled; a child whose job does not end is ended."""
        self._children.ask(partial(self._children.cancel, frozenset(ids), of))

    def terms(self, target: str) -> Terms | None:
        """What a task says about the ends of its attempts; None if no child has told of it."""
        spec = self._finished.specs.get(target)
        return None if spec is None else spec.terms

    def targets(self) -> frozenset[str]:
        """The targets that the children have told of."""
        return self._finished.plain.union(tuple(self._finished.specs))

    def at_most_once(self) -> frozenset[str]:
        """The targets that may run at most once, as far as the children have told."""
        return frozenset(spec.target for spec in tuple(self._finished.specs.values()) if spec.terms.at_most_once)

    def batching(self) -> Mapping[str, Batching]:
        """How the tasks run jobs together that the children have told of."""
        return self._finished.batching

    def rules(self) -> frozenset[str]:
        """What the tasks declare of schedules and limits that the children have told of."""
        return frozenset(spec.rules for spec in tuple(self._finished.specs.values()) if spec.rules is not None)

    def secrecies(self) -> frozenset[tuple[str, str]]:
        """What the tasks call sensitive that the children have told of."""
        specs = tuple(self._finished.specs.values())
        return frozenset((spec.target, spec.secrecy) for spec in specs if spec.secrecy is not None)

    def follows(self) -> frozenset[tuple[str, str]]:
        """Which jobs follow those of the tasks that the children have told of."""
        specs = tuple(self._finished.specs.values())
        return frozenset((spec.target, spec.follows) for spec in specs if spec.follows is not None)

    def fallbacks(self) -> dict[str, Fallback]:
        """What follows the tasks where they are lost that the children have told of."""
        return if_lost((spec.target, spec.terms) for spec in tuple(self._finished.specs.values()))

    def hooked(self) -> frozenset[tuple[str, str]]:
        """Which hooks the children have told of."""
        specs = tuple(self._finished.specs.values())
        return self._finished.hooked.union((name, spec.target) for spec in specs for name in spec.hooks)

    def watch_starts(self, begun: Callable[[Claim], None]) -> None:
        """Tell of each attempt that it has begun."""
        self._finished.begun = begun

    def is_watched(self) -> bool:
        """Whether a child said that something looks on there."""
        return self._finished.watched

    def declared(self, targets: Collection[str], of: int | None = None) -> None:
        """The database knows of these."""
        self._children.ask(partial(self._children.tell, of, messages.DECLARED, sorted(targets), of))

    def tell_phase(self, phase: WorkerPhase, of: int | None = None) -> None:
        """The worker is about something else."""
        self._children.ask(partial(self._children.tell, of, messages.PHASE, phase.value, of))

    def crash_running(self, of: int | None = None) -> None:
        """Kill the children that run a job, and replace them."""
        self._children.ask(partial(self._children.crash_running, of))

    def stop(self, timeout: float) -> list[Leftover]:
        """Wait for what runs, end the children that still run after `timeout` seconds, and return what is left."""
        if self._thread is None:
            return []
        self.tell_phase(WorkerPhase.STOPPING)
        self._children.leave(monotonic() + timeout)
        self._thread.join(timeout + 5.0)
        left, self._finished.left = self._finished.left, []
        return left

    def fence(self) -> list[Leftover]:
        """End all children at once, and return what is left."""
        self._children.fence()
        return self.stop(0)

    def running(self) -> list[tuple[Claim, float]]:
        """What the children run, and for how long."""
        now = monotonic()
        entries = [
            (child.fed.get(-1 if child.running is None else child.running), child.since) for child in self._alive
        ]
        running = ((entry[0], since) for entry, since in entries if entry is not None)
        return [(each, now - since) for claim, since in running for each in each_of(claim)]

    def whereabouts(self) -> list[Whereabouts]:
        """Where what the children run is in its code; one whose code holds its interpreter cannot say."""
        for child in self._alive:
            child.here = None
        self._children.ask(lambda: self._children.tell_all(lambda child: child.say(messages.WHERE)))
        deadline = monotonic() + _ANSWERS_WITHIN
        while any(child.here is None for child in self._alive if child.running is not None):
            if monotonic() > deadline:
                break
            sleep(_LOOK_EVERY)
        return [each for child in self._alive for each in _where(child, monotonic())]

    def pids(self) -> list[int]:
        """The processes of the children."""
        return [child.pid for child in self._alive]

    @property
    def _alive(self) -> Sequence[ChildProcess]:
        return self._children.alive()

    def kill(self) -> None:
        """End all children at once; nothing more is reported."""
        if self._thread is not None:
            self._children.kill()
            self._thread.join(5.0)

    def _ended(self, ended: list[Finished], count: int) -> None:
        self._report(ended)
        self._reported += count


def _where(child: ChildProcess, now: float) -> list[Whereabouts]:
    number, here = child.running, child.here
    entry = None if number is None else child.fed.get(number)
    if entry is None:
        return []
    claim, since, stack = entry[0], child.since, None
    why = "its process does not answer: it is stopped, or code in C holds the interpreter"
    if here is not None:
        stack = here[1] if here[0] == number else None
        why = "it was not in its own code at that moment"
    return whereabouts_of(claim, now - since, child.pid, stack, None if stack else why)
