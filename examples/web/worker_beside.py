"""A worker inside of the web process, so that one command runs all of it. For development: see the guide."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pgqueue


@contextmanager
def worker_beside(dsn: str) -> Iterator[None]:
    """Run jobs in this process until the block ends, if WEB_WORKER says so."""
    if not os.environ.get("WEB_WORKER"):
        yield
        return
    worker = pgqueue.Worker(dsn, app=["web.tasks"], executor="thread", concurrency=2)
    thread = threading.Thread(target=worker.run, name="worker")
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        thread.join()
