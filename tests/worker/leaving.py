"""Jobs that leave something running which Python would wait for at its end."""

from __future__ import annotations

import asyncio
import atexit
import multiprocessing
import os
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

LONG = 120.0
_kept: list[object] = []


def leave(what: str, path: str) -> None:
    """Leave it running, and say that it runs."""
    match what:
        case "thread":
            threading.Thread(target=time.sleep, args=[LONG]).start()
        case "pool":
            pool = ThreadPoolExecutor(1)
            _kept.append((pool, pool.submit(time.sleep, LONG)))
        case "processes":
            processes = ProcessPoolExecutor(1, multiprocessing.get_context("fork"))
            _kept.append((processes, processes.submit(time.sleep, LONG)))
        case "process":
            child = multiprocessing.get_context("fork").Process(target=time.sleep, args=[LONG], daemon=False)
            child.start()
            _kept.append(child)
        case "hook":
            atexit.register(time.sleep, LONG)
        case "pipe":
            # Nobody reads it, and it is full: what is held back cannot be written.
            _, end = os.pipe()
            os.set_blocking(end, False)
            while _takes(end):
                pass
            os.set_blocking(end, True)
            held_back = os.fdopen(end, "w")
            held_back.write("more")
            _kept.append(held_back)
    Path(path).write_text(str(os.getpid()))


def _takes(end: int) -> bool:
    try:
        return bool(os.write(end, b"x" * 4096))
    except BlockingIOError:
        return False


def note(path: str) -> None:
    """Write into a file that stays open."""
    file = Path(path).open("a")  # noqa: SIM115, it is not closed
    file.write("noted")
    _kept.append(file)


def wait_in_pool(path: str) -> None:
    """Hang with a pool's thread that does."""
    with ThreadPoolExecutor(2) as pool:
        Path(path).write_text(str(os.getpid()))
        list(pool.map(time.sleep, [LONG, LONG]))


async def wait_in_thread(path: str) -> None:
    """Hang with a thread of the event loop's."""
    Path(path).write_text(str(os.getpid()))
    await asyncio.to_thread(time.sleep, LONG)
