"""Helpers for the tests of code that uses pgqueue: on a real PostgreSQL, by the worker's own code.

    def test_receipts(pgqueue_conn):
        place_order(pgqueue_conn, 42)
        assert_enqueued(pgqueue_conn, send_receipt, args=[42])
        [ran] = drain(pgqueue_conn)

pytest finds the fixtures by itself; for unittest there is DatabaseMixin.
"""

from pgqueue.testing.asserting import assert_enqueued, enqueued, refute_enqueued
from pgqueue.testing.cases import DatabaseMixin
from pgqueue.testing.database import ScratchDatabase
from pgqueue.testing.draining import drain
from pgqueue.testing.eagerly import eager
from pgqueue.testing.failures import AttemptFailed, NotQuiet
from pgqueue.testing.one_attempt import run_job, run_job_async
from pgqueue.testing.ran import Brought, Ran
from pgqueue.testing.server import scratch_database
from pgqueue.testing.travelling import time_travel
from pgqueue.testing.waiting import Waiting

__all__ = [
    "AttemptFailed",
    "Brought",
    "DatabaseMixin",
    "NotQuiet",
    "Ran",
    "ScratchDatabase",
    "Waiting",
    "assert_enqueued",
    "drain",
    "eager",
    "enqueued",
    "refute_enqueued",
    "run_job",
    "run_job_async",
    "scratch_database",
    "time_travel",
]
