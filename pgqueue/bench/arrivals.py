"""When jobs begin: tasks tell it by datagrams, with the time of the clock that all processes of a machine share."""

from __future__ import annotations

import select
import socket
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

from pgqueue.errors import PgqueueError

LIMIT = 30.0


class Arrivals:
    """Listens at `address`, a unix socket: a name of its own if none is given."""

    def __init__(self, address: str | None = None) -> None:
        self._folder = None if address else tempfile.TemporaryDirectory(prefix="pgqueue-bench-")
        self.address = address or f"{self._folder.name if self._folder else ''}/jobs"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.address)

    def __enter__(self) -> Arrivals:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._socket.close()
        Path(self.address).unlink(missing_ok=True)
        if self._folder is not None:
            self._folder.cleanup()

    def await_one(self, limit: float = LIMIT) -> tuple[int, int]:
        """The number of the next job that begins, and when: nanoseconds of the monotonic clock."""
        ready, _, _ = select.select([self._socket], [], [], limit)
        if not ready:
            raise PgqueueError(f"no job began within {limit:.0f} s")
        number, began = self._socket.recv(100).split()
        return int(number), int(began)

    def measure(
        self, gaps: Sequence[float], send: Callable[[int], object], *, wait_for_each: bool = True
    ) -> list[float]:
        """Send a job after each gap; the milliseconds from its commit until it began."""
        committed: list[int] = []
        begun: dict[int, int] = {}
        for number, gap in enumerate(gaps):
            self._collect_for(gap, begun)
            send(number)
            committed.append(time.monotonic_ns())
            if wait_for_each:
                self._collect(begun)
        while len(begun) < len(gaps):
            self._collect(begun)
        # A job can begin before the commit's answer has come back.
        return [max(0, begun[number] - at) / 1e6 for number, at in enumerate(committed)]

    def _collect_for(self, seconds: float, begun: dict[int, int]) -> None:
        """Wait, and hear what comes meanwhile: a few unheard datagrams, and the next task would wait to be heard."""
        ends_at = time.monotonic() + seconds
        while (left := ends_at - time.monotonic()) > 0:
            if select.select([self._socket], [], [], left)[0]:
                self._collect(begun)

    def _collect(self, begun: dict[int, int]) -> None:
        number, at = self.await_one()
        begun[number] = at
