"""A line so thin that what a worker would claim at once does not come through in time."""

from __future__ import annotations

import random
import string

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgqueue.job import NewJob
from tests.faults.slow import SlowProxy
from tests.worker.running import ERRANDS, Desk, ThreadedWorker

pytestmark = pytest.mark.faults


def test_no_more_is_claimed_at_once_than_comes_through_in_time(dsn: str, desk: Desk) -> None:
    """Six megabytes at half a megabyte a second, and less than five seconds for each answer."""
    parts = psycopg.conninfo.conninfo_to_dict(dsn)
    proxy = SlowProxy(str(parts["host"]), int(str(parts["port"])), rate=500_000)
    text = "".join(random.choices(string.printable[:90], k=600_000))
    ids = desk.send_many([NewJob(f"{ERRANDS}:swallow", [text]) for _ in range(10)])
    slow = make_conninfo(dsn, host="127.0.0.1", port=proxy.port)
    worker = ThreadedWorker(slow, executor="thread", concurrency=10, lease=6.0, poll=1.0)
    try:
        desk.await_all_ended(60)
    finally:
        worker.stop()
        proxy.close()
    desk.check_books(ids, succeeded=10)
