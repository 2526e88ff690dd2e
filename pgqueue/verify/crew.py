"""The crew: `pgqueue worker` processes of every executor, each behind a proxy of its own, replaced when they end."""

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
PLACES = (("process", 2), ("process", 2), ("thread", 4), ("async", 6))
# A worker that starts while the database is away ends with 3; so soon after its start that is no surprise. Importing
# Python's modules alone takes seconds on a busy machine.
STARTING = 90.0

STOPPED, NO_APP, UNREACHABLE, RETIRED = 0, 2, 3, 75


@dataclass(slots=True, eq=False)
class Place:
    """A worker's place in the crew: who has it now, and how that one was told to end."""

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


class Crew:
    """All workers, from the start of the block to its end, when none of their processes is left."""

    def __init__(
        self, server: Address, dsn_through: Callable[[int], str], log: Path, tally: Tally, guard: Guard
    ) -> None:
        self.places: list[Place] = []
        self.surprises: list[str] = []
        self._server = server
        self._dsn_through = dsn_through
        self._log = log
        self._tally = tally
        self._guard = guard

    def mend(self) -> None:
        """Replace whoever has ended."""
        for place in self.places:
            if (code := place.process.poll()) is None:
                continue
            self._judge(place, code)
            self._guard.forget(place.pid)
            place.process = self._start(place.executor, place.concurrency, place.proxy)
            place.began, place.told, place.stopped, place.lost_child = time.monotonic(), None, False, False

    def place_of(self, pid: int) -> Place | None:
        """The place that the worker of this process has."""
        return next((place for place in self.places if place.pid == pid), None)

    def kill(self, place: Place) -> None:
        """SIGKILL, without a word before."""
        place.told = "kill"
        self._send(place, signal.SIGKILL)

    def kill_child(self, place: Place, pid: int) -> None:
        """SIGKILL to a child of it."""
        place.lost_child = True
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def terminate(self, place: Place) -> None:
        """SIGTERM: a graceful stop."""
        place.told = "term"
        self._send(place, signal.SIGTERM)

    def stop(self, place: Place) -> bool:
        """SIGSTOP, unless it is stopped; its children go on."""
        if place.stopped:
            return False
        place.stopped = True
        self._send(place, signal.SIGSTOP)
        return True

    def go_on(self, place: Place, pid: int) -> None:
        """SIGCONT, if that one still has the place."""
        if place.pid == pid:
            place.stopped = False
            self._send(place, signal.SIGCONT)

    def _send(self, place: Place, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            place.process.send_signal(number)

    def _judge(self, place: Place, code: int) -> None:
        self._tally.add(f"workers ended with {code}")
        is_young = time.monotonic() - place.began < STARTING
        expected = {
            RETIRED: True,
            STOPPED: place.told == "term",
            -signal.SIGKILL: place.told == "kill",
            UNREACHABLE: is_young,
            # A worker that begins does not tell a child that was killed from an app that kills it.
            NO_APP: place.lost_child,
            # Before it could hear of it, or when it was leaving already.
            -signal.SIGTERM: place.told == "term",
        }
        if not expected.get(code, False):
            told = {"kill": "SIGKILL was sent to it", "term": "SIGTERM was sent to it"}.get(place.told or "", "untold")
            self.surprises.append(f"a worker ({place.executor}, pid {place.pid}) ended with {code}, {told}")

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
            for executor, concurrency in PLACES:
                proxy = Proxy(self._server)
                process = self._start(executor, concurrency, proxy)
                self.places.append(Place(executor, concurrency, proxy, process, time.monotonic()))
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
            for place in self.places:
                self._send(place, signal.SIGCONT)
                self.terminate(place)
            deadline = time.monotonic() + STOP_TIMEOUT
            while any(place.process.poll() is None for place in self.places) and time.monotonic() < deadline:
                time.sleep(0.02)
        finally:
            for place in self.places:
                if (code := place.process.poll()) is None:
                    self.surprises.append(f"a worker ({place.executor}, pid {place.pid}) did not end when told to")
                    place.process.kill()
                    place.process.wait()
                else:
                    self._judge(place, code)
                place.proxy.close()
