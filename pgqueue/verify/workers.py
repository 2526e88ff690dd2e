"""The workers: `pgqueue worker` processes of every executor, each behind a proxy of its own, replaced when they end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from pgqueue.interrupt import uninterrupted
from pgqueue.verify.guard import Guard, paths
from pgqueue.verify.proxy import Address, Proxy
from pgqueue.verify.tally import Tally

APP = "pgqueue.verify.tasks"
# Short, so that many leases pass in a run; the default is 30 s.
LEASE = 2.5
POLL = 1.0
SHUTDOWN_TIMEOUT = 1.5
STOP_TIMEOUT = 45.0
# Executor and how many jobs at a time.
SLOTS = (("process", 2), ("process", 2), ("thread", 4), ("async", 6))
# A worker that starts while the database is away ends with 3; so soon after its start that is no surprise. Importing
# Python's modules alone takes seconds on a busy machine.
STARTING = 90.0

STOPPED, NO_APP, UNREACHABLE, RETIRED = 0, 2, 3, 75


@dataclass(slots=True, eq=False)
class WorkerSlot:
    """A worker's place among the others: who has it now, and how that one was told to end."""

    executor: str
    concurrency: int
    proxy: Proxy
    process: subprocess.Popen[bytes]
    began: float
    told: str | None = None
    stopped: bool = False
    lost_child: bool = False

    @property
    def pid(self) -> int:
        return self.process.pid


class Workers:
    """All workers, from the start of the block to its end, when none of their processes is left."""

    def __init__(
        self, server: Address, dsn_through: Callable[[int], str], log: Path, tally: Tally, guard: Guard
    ) -> None:
        self.slots: list[WorkerSlot] = []
        self.surprises: list[str] = []
        self._server = server
        self._dsn_through = dsn_through
        self._log = log
        self._tally = tally
        self._guard = guard

    def mend(self) -> None:
        """Replace whoever has ended."""
        for slot in self.slots:
            if (code := slot.process.poll()) is None:
                continue
            self._judge(slot, code)
            self._guard.forget(slot.pid)
            with uninterrupted():
                slot.process = self._start(slot.executor, slot.concurrency, slot.proxy)
                slot.began, slot.told, slot.stopped, slot.lost_child = time.monotonic(), None, False, False

    def slot_of(self, pid: int) -> WorkerSlot | None:
        """The slot that the worker of this process has."""
        return next((slot for slot in self.slots if slot.pid == pid), None)

    def kill(self, slot: WorkerSlot) -> None:
        """SIGKILL, without a word before."""
        slot.told = "kill"
        self._send(slot, signal.SIGKILL)

    def kill_child(self, slot: WorkerSlot, pid: int) -> None:
        """SIGKILL to a child of it."""
        slot.lost_child = True
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def terminate(self, slot: WorkerSlot) -> None:
        """SIGTERM: a graceful stop."""
        slot.told = "term"
        self._send(slot, signal.SIGTERM)

    def stop(self, slot: WorkerSlot) -> bool:
        """SIGSTOP, unless it is stopped; its children go on."""
        if slot.stopped:
            return False
        slot.stopped = True
        self._send(slot, signal.SIGSTOP)
        return True

    def go_on(self, slot: WorkerSlot, pid: int) -> None:
        """SIGCONT, if that one still has the slot."""
        if slot.pid == pid:
            slot.stopped = False
            self._send(slot, signal.SIGCONT)

    def _send(self, slot: WorkerSlot, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            slot.process.send_signal(number)

    def _judge(self, slot: WorkerSlot, code: int) -> None:
        self._tally.add(f"workers ended with {code}")
        is_young = time.monotonic() - slot.began < STARTING
        expected = {
            RETIRED: True,
            STOPPED: slot.told == "term",
            -signal.SIGKILL: slot.told == "kill",
            UNREACHABLE: is_young,
            # A worker that begins does not tell a child that was killed from an app that kills it.
            NO_APP: slot.lost_child,
            # Before it could hear of it, or when it was leaving already.
            -signal.SIGTERM: slot.told == "term",
        }
        if not expected.get(code, False):
            told = {"kill": "SIGKILL was sent to it", "term": "SIGTERM was sent to it"}.get(slot.told or "", "untold")
            self.surprises.append(f"a worker ({slot.executor}, pid {slot.pid}) ended with {code}, {told}")

    def _start(self, executor: str, concurrency: int, proxy: Proxy) -> subprocess.Popen[bytes]:
        words = ["-A", APP, "-c", str(concurrency), "-x", executor, "--lease", f"{LEASE}s", "--poll", f"{POLL}s"]
        words += ["--shutdown-timeout", f"{SHUTDOWN_TIMEOUT}s", "--log-format", "json", "--log-level", "warning"]
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "pgqueue", "worker", *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # A terminal's Ctrl-C is for the verifier, which then ends them one by one.
                start_new_session=True,
                env={
                    **os.environ,
                    "PGQUEUE_DSN": self._dsn_through(proxy.port),
                    "PYTHONPATH": os.pathsep.join(paths()),
                },
            )
        self._guard.watch(process.pid)
        return process

    def __enter__(self) -> Self:
        try:
            for executor, concurrency in SLOTS:
                with uninterrupted():
                    proxy = Proxy(self._server)
                    process = self._start(executor, concurrency, proxy)
                    self.slots.append(WorkerSlot(executor, concurrency, proxy, process, time.monotonic()))
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        try:
            for slot in self.slots:
                self._send(slot, signal.SIGCONT)
                self.terminate(slot)
            deadline = time.monotonic() + STOP_TIMEOUT
            while any(slot.process.poll() is None for slot in self.slots) and time.monotonic() < deadline:
                time.sleep(0.02)
        finally:
            for slot in self.slots:
                if (code := slot.process.poll()) is None:
                    self.surprises.append(f"a worker ({slot.executor}, pid {slot.pid}) did not end when told to")
                    slot.process.kill()
                    slot.process.wait()
                else:
                    self._judge(slot, code)
                slot.proxy.close()
