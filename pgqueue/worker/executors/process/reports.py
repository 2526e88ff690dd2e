"""What the children report, checked and acted on: a job can speak in the name of its child, and costs that alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any

from pgqueue.description import MESSAGE_LIMIT, TRACEBACK_LIMIT
from pgqueue.events import Finished
from pgqueue.hooks import EVERY, OF_JOBS, OF_WORKERS
from pgqueue.job import Claim, each_of
from pgqueue.job_log import Allowance, Said
from pgqueue.job_progress import Gauge
from pgqueue.worker.executors.base import Lines
from pgqueue.worker.executors.process import messages, wire
from pgqueue.worker.executors.process.child_process import ChildProcess
from pgqueue.worker.executors.process.feeder import Feeder
from pgqueue.worker.executors.process.finished_claims import FinishedClaims
from pgqueue.worker.executors.process.limits import LimitEnforcer
from pgqueue.worker.executors.process.spec_wire import spec_from_child

OF_EVERY = frozenset((*OF_JOBS, *OF_WORKERS))
# A child that is ready tells of no more tasks than this: each is remembered, for all children.
_MOST_FOUND = 10_000


class Reports:
    """Used by the thread that serves the children alone. Calls `ready()` and `broken(why)` for a child that begins."""

    def __init__(
        self,
        finished: FinishedClaims,
        feeder: Feeder,
        limits: LimitEnforcer,
        lines: Lines,
        ready: Callable[[], None],
        broken: Callable[[str], None],
    ) -> None:
        self._finished = finished
        self._feeder = feeder
        self._limits = limits
        self._lines = lines
        self._ready = ready
        self._broken = broken

    def heed(self, child: ChildProcess, heard: Sequence[list[Any]]) -> None:
        """Do what a child says, up to the first thing that makes no sense: with that it is garbled."""
        try:
            for message in heard:
                if child.garbled:
                    return
                self._heed(child, message)
        except Exception:  # Whatever nonsense leads to.
            child.garbled = True

    def tell_if_cancelled(self, child: ChildProcess) -> None:
        """Tell the job that a child runs that it was cancelled, if so."""
        if child.running in child.cancelled:
            child.cancelled.discard(child.running)
            self._limits.cancel(child, monotonic())
        else:
            child.tell_unwanted()

    def _heed(self, child: ChildProcess, message: list[Any]) -> None:
        match message:
            case [messages.MOVED, number, elapsed, said, begun]:
                self._end(child, number, elapsed, said)
                if begun is not None:
                    self._begin(child, begun)
            case [messages.BEGAN, number]:
                self._begin(child, number)
            case [messages.RESULT, str(text)] if child.running is not None:
                child.result = text
            case [messages.BROUGHT, str(text)] if child.running is not None:
                child.brought = text
            case [messages.ITEM, int(place), said] if child.running is not None:
                self._note_item(child, place, said)
            case [messages.SAID, number, [*lines], int(place)] if place >= 0:
                if number == child.running:
                    self._keep(child.allowance_of(place), each_of(child.fed[number][0])[place], lines)
            case [messages.PROGRESS, number, *said]:
                if number == child.running:
                    self._note(child, child.fed[number][0], said)
            case [messages.EXTEND, number, seconds]:
                if number == child.running:
                    self._limits.extend(child, monotonic() + wire.seconds_from_child(seconds))
            case [messages.ADVANCED, number]:
                if number == child.running and type(child.fed[number][0]) is Claim:
                    claim, since = child.fed[number]
                    child.fed[number] = claim._replace(crashes=0), since
            case [messages.GIVEN_BACK, [*numbers]]:
                self._take_back(child, numbers)
            case [messages.HUNG, number, where]:
                if number == child.running:
                    child.hung = wire.text_from_child(where, TRACEBACK_LIMIT)
            case [messages.HERE, None | int() as number, where]:
                child.here = number, wire.text_from_child(where, TRACEBACK_LIMIT)
            case [messages.TASK, said]:
                self._learn(child, said)
            case [messages.PLAIN, targets] if not child.ready:
                self._finished.plain |= wire.targets_from_child(targets)
            case [messages.WATCHED]:
                self._finished.watched = True
            case [messages.HOOKED, names] if not child.ready:
                self._finished.hooked = frozenset((name, EVERY) for name in wire.hooks_from_child(names, OF_EVERY))
            case [messages.READY] if not child.ready:
                child.ready = True
                self._ready()
            case [messages.BROKEN, str(why)] if not child.ready:
                child.broken = True
                self._broken(why[:MESSAGE_LIMIT])
            case _:
                raise wire.Nonsense(f"message {message[0]!r:.20}")

    def _keep(self, allowance: Allowance, claim: Claim, lines: list[Any]) -> None:
        for at, level, line in map(wire.line_from_child, lines):
            if (seq := allowance.seq(len(line.encode()))) is not None:
                self._lines.of(claim.worker).put(Said(claim.id, claim.claim, claim.attempt, seq, at, level, line))

    def _note(self, child: ChildProcess, claim: Claim, said: list[Any]) -> None:
        if child.gauge is None:
            child.gauge = Gauge(claim.id, claim.claim)
        child.gauge.say(wire.progress_from_child(said), self._lines.of(claim.worker).show)

    def _note_item(self, child: ChildProcess, place: int, said: object) -> None:
        if not 0 <= place < len(each_of(child.fed[child.running or 0][0])) or place in child.items:
            raise wire.Nonsense(f"{place} cannot have ended")
        child.items[place] = said, child.result, child.brought
        child.result = child.brought = None

    def _end(self, child: ChildProcess, number: Any, elapsed: Any, said: object) -> None:
        if number is None or number != child.running:
            raise wire.Nonsense(f"{number} cannot have ended")
        result, child.result = child.result, None
        brought, child.brought = child.brought, None
        claim, seconds = child.fed[number][0], wire.elapsed_from_child(elapsed)
        if type(claim) is Claim:
            self._finished.ended.append(self._checked(wire.finished_from_child(claim, seconds, said, result, brought)))
        else:
            self._finished.ended += map(self._checked, wire.batch_from_child(claim, seconds, child.items))
        self._finished.count += 1
        child.ended(number, seconds)

    def _checked(self, finished: Finished) -> Finished:
        """A job may fall back to what its task says, and to nothing that it says itself."""
        if (to := finished.settlement.fallback) is not None:
            declared = self._finished.terms(finished.claim.target).fallback
            if declared is None or declared.to != to:
                raise wire.Nonsense("no fallback of its task")
        return finished

    def _begin(self, child: ChildProcess, number: Any) -> None:
        child.started(number)
        if self._finished.begun is not None:
            for claim in each_of(child.fed[number][0]):
                self._finished.begun(claim)
        if child.cancelled or child.unwanted:
            self.tell_if_cancelled(child)

    def _take_back(self, child: ChildProcess, numbers: list[Any]) -> None:
        """What it runs is not to be given to another."""
        if child.running in numbers:
            raise wire.Nonsense("it gives back what it runs")
        child.recalled = False
        for number in reversed(numbers):
            self._feeder.take_back(child, number)

    def _learn(self, child: ChildProcess, said: object) -> None:
        """A child that begins may bring newer code; one that runs changes nothing about a task that is known."""
        spec = spec_from_child(said)
        if not child.ready:
            self._finished.learn(spec)
            return
        child.found += 1
        if child.found > _MOST_FOUND:
            raise wire.Nonsense("too many tasks")
        if spec.target not in self._finished.specs:
            self._finished.learn(spec)
        child.watch = None
