"""The four measures, the same for every peer."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from adapter.peer import Peer
from adapter.settle import settle
from adapter.tasks import LAST
from adapter.told import Listener

# Until a worker runs its first job: interpreters start slowly on a busy machine.
STARTED, BEGUN = 60, 10
WARM_ENQUEUES, WARM_PICKUPS = 50, 20
# Between two looks at what is left, once the last job began.
LOOK = 0.005


async def enqueue_one(peer: Peer, seconds: float, *, heard: bool = False) -> dict[str, object]:
    """One job after another, each committed before the next; `heard` while a worker takes them."""
    if not heard:
        return await _enqueue_one(peer, seconds)
    listener = Listener()
    with _running(peer.worker(), 1):
        await peer.enqueue("report", 0)
        listener.next(STARTED)
        found = await _enqueue_one(peer, seconds)
    listener.close()
    return found


async def _enqueue_one(peer: Peer, seconds: float) -> dict[str, object]:
    for number in range(WARM_ENQUEUES):
        await peer.enqueue("nothing", number)
    count, began = 0, time.monotonic()
    until = began + seconds
    while time.monotonic() < until:
        await peer.enqueue("nothing", count)
        count += 1
    return {"count": count, "seconds": time.monotonic() - began}


async def enqueue_bulk(peer: Peer, count: int) -> dict[str, object]:
    """All jobs at once, made beforehand."""
    prepared = peer.prepared(range(count))
    began = time.monotonic()
    await peer.enqueue_all(prepared)
    return {"count": count, "seconds": time.monotonic() - began}


async def drain(
    peer: Peer, store: str, count: int, seconds: float, workers: int, *, filled: bool = False
) -> dict[str, object]:
    """From the start of the first job until the last ended, or until `seconds` are over.

    The store is not asked before the last job began: a look costs the peer whose books are the longest the most.
    """
    if not filled:
        await peer.enqueue_all(peer.prepared(range(count)))
    settle(store)
    os.environ[LAST] = str(count - 1)
    listener = Listener()
    with _running(peer.worker(), workers):
        began = listener.next(STARTED)[1] / 1e9
        _await_last(listener, count - 1, began + seconds)
        while True:
            # Before the look: what ends while it is taken is not in it.
            elapsed = time.monotonic() - began
            left = peer.left()
            if left == 0 or elapsed >= seconds:
                break
            time.sleep(LOOK)
    listener.close()
    return {"count": count - left, "seconds": elapsed}


def _await_last(listener: Listener, last: int, until: float) -> None:
    with suppress(TimeoutError):
        while listener.next(until - time.monotonic())[0] != last:
            pass


async def pickup(peer: Peer, gaps: Sequence[float], seconds: float) -> dict[str, object]:
    """From the return of the enqueue's commit until the task's first line, of a worker that was idle.

    Past `seconds` there are fewer latencies than gaps.
    """
    listener = Listener()
    latencies: list[float] = []
    with _running(peer.worker(), 1):
        for number in range(-WARM_PICKUPS, 0):
            await peer.enqueue("report", number)
            listener.next(STARTED)
        time.sleep(1.0)
        until = time.monotonic() + seconds
        for number, gap in enumerate(gaps):
            await asyncio.sleep(gap)
            if time.monotonic() > until:
                break
            await peer.enqueue("report", number)
            committed = time.monotonic_ns()
            told, began = listener.next(BEGUN)
            if told != number:
                raise RuntimeError(f"job {told} began, not {number}: a job ran twice or late")
            # A worker may begin before the producer has heard of its own commit.
            latencies.append(max(0, began - committed) / 1e6)
    listener.close()
    return {"latencies": latencies}


@contextmanager
def _running(command: list[str], workers: int) -> Iterator[None]:
    """Worker processes in our process group, whose output goes to our standard error."""
    # Command lines of peers import our modules by name.
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    processes = [subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=2, env=environment) for _ in range(workers)]
    try:
        yield
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.kill(process.pid, signal.SIGKILL)
                process.wait()
