"""A child process: runs claims one after the other, as `python -m pgqueue.worker.executors.process.child FD`.

The main thread runs user code. The control thread listens to the worker and owns the inbox: it can give back what
waits there while a job runs, and ends the process when the worker is gone.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Container, Sequence
from queue import Empty, SimpleQueue
from typing import Any, NoReturn
from uuid import UUID

from pgqueue import encryption, hooks, instruments
from pgqueue.context import WorkerPhase, be_at_home_in
from pgqueue.description import MESSAGE_LIMIT, storable
from pgqueue.errors import AppError
from pgqueue.events import Finished
from pgqueue.job import Claim
from pgqueue.job_log import Outlet
from pgqueue.outcome import Move, Settlement
from pgqueue.signing import sign_as_told
from pgqueue.tasks import Task, import_modules, plain_targets, registered_tasks
from pgqueue.worker import task_log
from pgqueue.worker.attempts.attempt import Attempts
from pgqueue.worker.attempts.homes import Homes
from pgqueue.worker.attempts.middleware import load_middleware
from pgqueue.worker.attempts.notices import Notice, SignalGuard
from pgqueue.worker.attempts.process_state import ProcessState
from pgqueue.worker.attempts.task_spec import portable, spec_of
from pgqueue.worker.attempts.tracebacks import stack_of
from pgqueue.worker.executors.process import messages, wire
from pgqueue.worker.executors.process.channel import Channel
from pgqueue.worker.executors.process.child_lines import ChildLines
from pgqueue.worker.executors.process.kinship import as_child, die_with
from pgqueue.worker.executors.process.spec_wire import spec_to_wire
from pgqueue.worker.log_writer import flush_all


class Child:
    """The two threads of a child process, and the socket to its worker."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        # Guards the sending side of the channel: both threads speak.
        self._speaking = threading.Lock()
        # Claims as they came, each with its number in front; None is the end.
        self._inbox: SimpleQueue[tuple[Any, ...] | None] = SimpleQueue()
        self._unpacker = messages.OrderUnpacker()
        self._told: set[str] = set()
        # By the worker id that claimed the jobs; None: all of them.
        self._entered: dict[int, str] = {}
        self._declared: dict[int | None, Container[str] | None] = {}
        self._phases: dict[int | None, WorkerPhase] = {}
        self._homes: Homes | None = None
        # Of the home that the last job had, or has.
        self._attempts: Attempts | None = None
        self._lines = ChildLines(lambda: self._send(b""))

    def run(self) -> None:
        """Import the tasks' modules, then run claims until the worker says stop."""
        _, given, path, parent = self._first_message()
        settings = wire.settings_from_wire(given)
        die_with(parent)
        be_at_home_in(settings.home)
        encryption.from_wire(settings.encryption)
        sign_as_told(settings.signing_keys)
        sys.path[:] = path
        threading.Thread(target=self._listen, name="pgqueue-control", daemon=True).start()
        try:
            import_modules(settings.modules)
            task_log.begin(settings.log, settings.store_logs)
            middleware = load_middleware(settings.middleware)
        except BaseException as error:  # The importing module's own; a signal is no exception here.
            said = str(error) if isinstance(error, AppError) else f"cannot import {settings.modules}: {error!r}"
            self._say(messages.BROKEN, storable(said, MESSAGE_LIMIT))
            return
        tasks = registered_tasks()
        self._told = {task.target for task in tasks}
        outlet = Outlet(self._lines.put, settings.store_logs, self._lines.show, self._lines.extend, self._lines.advance)
        guard = SignalGuard()
        homes = Homes(
            lambda dsn, _: Attempts(dsn, settings.modules, middleware, guard, outlet, settings.rights),
            settings.dsn,
            be_at_home_in,
        )
        self._homes = homes
        for worker, dsn in tuple(self._entered.items()):
            homes.enter(worker, dsn)
        for of, targets in tuple(self._declared.items()):
            homes.declared(targets, of)
        for of, phase in tuple(self._phases.items()):
            homes.tell_phase(phase, of)
        for task in tasks:
            self._tell_task(task)
        plain = sorted(plain_targets(settings.modules))
        for first in range(0, len(plain), messages.MOST_TARGETS):
            self._say(messages.PLAIN, plain[first : first + messages.MOST_TARGETS])
        if instruments.installed:
            self._say(messages.WATCHED)
        if named := hooks.named():
            self._say(messages.HOOKED, [name for name, _ in named])
        self._say(messages.READY)
        self._work(homes)
        homes.close()

    def _first_message(self) -> tuple[Any, ...]:
        while True:
            if heard := self._unpacker.feed(self._channel.receive()):
                return heard[0]

    def _work(self, homes: Homes) -> None:
        number = -1
        finished: Sequence[Finished] = ()
        process_state = ProcessState()
        while True:
            try:
                entry = self._inbox.get_nowait()
            except Empty:
                if finished:
                    self._move(number, finished, None)
                    finished = ()
                entry = self._inbox.get()
            if entry is None:
                break
            before = number
            number, claim = wire.fed_from_wire(entry)
            # Before the worker hears of it: it may at once have something to tell.
            attempts = self._attempts = homes.of(claim)
            attempts.number = number
            self._move(before, finished, number)
            self._lines.begin(number, claim)
            if claim.target not in self._told:
                self._tell(attempts, claim)
            finished = attempts.run_all(claim, number)
            if not process_state.put_back():
                # The next job must not find what this one left: another child takes what waits here.
                self._move(number, finished, None)
                flush_all()
                os._exit(0)
        if finished:
            self._move(number, finished, None)

    def _move(self, number: int, finished: Sequence[Finished], started: int | None) -> None:
        """Say that one has ended, if so, and which one begins, if any."""
        if not finished:
            self._say(messages.BEGAN, started)
            return
        if len(finished) > 1:
            items = b"".join(_packed_item(place, done) for place, done in enumerate(finished))
            self._send(items + messages.pack_success(number, wire.seconds_to_wire(finished[0].elapsed), started))
            return
        (done,) = finished
        settlement, took = done.settlement, wire.seconds_to_wire(done.elapsed)
        if settlement.move is Move.SUCCEED:
            said = messages.pack_success(number, took, started)
            if settlement.result is not None:
                said = messages.pack_result(settlement.result) + said
        else:
            told = wire.settlement_to_wire(settlement)
            said = _packed_beside(settlement) + messages.pack(messages.MOVED, number, took, told, started)
        self._send(said)

    def _tell(self, attempts: Attempts, claim: Claim) -> None:
        """Tell the worker of a task that was found after the start, in a module imported for this claim."""
        self._told.add(claim.target)
        if task := attempts.find(claim):
            self._tell_task(task)

    def _tell_task(self, task: Task[..., Any]) -> None:
        self._say(messages.TASK, spec_to_wire(portable(spec_of(task))))

    def _listen(self) -> NoReturn:
        while True:
            for message in self._unpacker.feed(self._channel.receive()):
                self._obey(message)

    def _obey(self, message: tuple[Any, ...]) -> None:
        match message:
            case [messages.RUN, entries]:
                for entry in entries:
                    self._inbox.put(entry)
            case [messages.GIVE_BACK]:
                self._say(messages.GIVEN_BACK, self._unstarted())
            case [messages.NOTICE, number, notice]:
                self._tell_job(number, Notice(notice))
            case [messages.UNWANTED, number, [*ids]]:
                if self._attempts is not None:
                    self._attempts.tell_some(number, frozenset(map(UUID, ids)))
            case [messages.WHERE]:
                number = None if self._attempts is None else self._attempts.number
                self._say(messages.HERE, number, stack_of(threading.main_thread()))
            case [messages.DECLARED, targets, of]:
                self._declared[of] = None if targets is None else frozenset(targets)
                if self._homes is not None:
                    self._homes.declared(self._declared[of], of)
            case [messages.PHASE, phase, of]:
                self._phases[of] = WorkerPhase(phase)
                if self._homes is not None:
                    self._homes.tell_phase(self._phases[of], of)
            case [messages.ENTER, worker, dsn]:
                self._entered[worker] = dsn
                if self._homes is not None:
                    self._homes.enter(worker, dsn)
            case [messages.LEAVE, worker]:
                for of_workers in (self._entered, self._declared, self._phases):
                    of_workers.pop(worker, None)
                if self._homes is not None:
                    self._homes.leave(worker)
            case [messages.STOP]:
                self._inbox.put(None)

    def _tell_job(self, number: int, notice: Notice) -> None:
        if self._attempts is None or self._attempts.number != number:
            return
        if notice is Notice.TIMEOUT:
            # Before it is told: the worker knows then where a job hung that does not listen.
            self._say(messages.HUNG, number, stack_of(threading.main_thread()))
        self._attempts.tell(number, notice)

    def _unstarted(self) -> list[int]:
        """Take back what the main thread has not taken; each entry goes to one of the two."""
        numbers: list[int] = []
        while True:
            try:
                entry = self._inbox.get_nowait()
            except Empty:
                return numbers
            if entry is not None:
                numbers.append(entry[0])

    def _say(self, *message: Any) -> None:
        self._send(messages.pack(*message))

    def _send(self, said: bytes) -> None:
        with self._speaking:
            if self._lines:
                # In front: what a job has said before its end is not told after it.
                said = self._lines.packed() + said
            if said:
                self._channel.send(said)


def _packed_item(place: int, done: Finished) -> bytes:
    """What became of one job of a batch; nothing, if it just succeeded."""
    settlement = done.settlement
    told = wire.settlement_to_wire(settlement)
    beside = _packed_beside(settlement)
    return beside + messages.pack(messages.ITEM, place, told) if told or beside else b""


def _packed_beside(settlement: Settlement) -> bytes:
    """What travels in front of the message that an attempt has ended: its result, and what it brings."""
    said = b""
    if settlement.result is not None:
        said = messages.pack_result(settlement.result)
    if settlement.brings is not None:
        said = messages.pack_result(settlement.brings, messages.BROUGHT) + said
    return said


if __name__ == "__main__":
    as_child(lambda channel: Child(channel).run())
