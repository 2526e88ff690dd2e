"""The four measures, the same for every peer."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from adapter.peer import Peer
from adapter.settle import settle
from adapter.told import Listener

# Until a worker runs its first job: interpreters start slowly on a busy machine.
STARTED, BEGUN = 60, 10
WARM_ENQUEUES, WARM_PICKUPS = 50, 20


async def enqueue_one(peer: Peer, seconds: float) -> dict[str, object]:
    """One job after another, each committed before the next."""
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


async def drain(peer: Peer, store: str, count: int, seconds: float, workers: int) -> dict[str, object]:
    """From the start of the first job until the last ended, or until `seconds` are over."""
    await peer.enqueue_all(peer.prepared(range(count)))
    settle(store)
    listener = Listener()
    with _running(peer.worker(), workers):
        began = listener.next(STARTED)[1] / 1e9
        while True:
            left = peer.left()
            elapsed = time.monotonic() - began
            if left == 0 or elapsed >= seconds:
                break
            time.sleep(min(_until_next_look(count - left, left, elapsed), seconds - elapsed))
    listener.close()
    return {"count": count - left, "seconds": elapsed}


async def pickup(peer: Peer, gaps: Sequence[float]) -> dict[str, object]:
    """From the return of the enqueue's commit until the task's first line, of a worker that was idle."""
    listener = Listener()
    latencies = []
    with _running(peer.worker(), 1):
        for number in range(-WARM_PICKUPS, 0):
            await peer.enqueue("report", number)
            listener.next(STARTED)
        time.sleep(1.0)
        for number, gap in enumerate(gaps):
            await asyncio.sleep(gap)
            await peer.enqueue("report", number)
            committed = time.monotonic_ns()
            told, began = listener.next(BEGUN)
            if told != number:
                raise RuntimeError(f"job {told} began, not {number}: a job ran twice or late")
            # A worker may begin before the producer has heard of its own commit.
            latencies.append(max(0, began - committed) / 1e6)
    listener.close()
    return {"latencies": latencies}


def _until_next_look(ended: int, left: int, elapsed: float) -> float:
    """Half of what seems left: few looks, since each costs the server a scan, and a near one at the end."""
    return min(max(0.5 * left * elapsed / ended if ended else 0.1, 0.01), 2.0)


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
