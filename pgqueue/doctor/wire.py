"""What lies between here and the server: notifications, a pooler, clocks."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import closing

import psycopg

from pgqueue.doctor.patient import Patient
from pgqueue.doctor.verdict import Found, fail, ok, unknown, warn
from pgqueue.store import Statement, execute
from pgqueue.store.connection import open_connection
from pgqueue.store.statement import only_value
from pgqueue.store.wakeups import listen as listen_on
from pgqueue.store.wakeups import self_test

# Seconds for what takes milliseconds.
ROUND_TRIP = 2.0
FAR_OFF = 60.0
_CLOCK: Statement[float] = Statement("select extract(epoch from clock_timestamp())::float8", (), only_value)


def listen(patient: Patient) -> Found:
    """A notification to ourselves arrives."""
    channel = f"pgqueue_doctor_{random.getrandbits(48):x}"
    with closing(open_connection(patient.dsn, "doctor", deadline=2 * ROUND_TRIP)) as conn:
        pooled = conn.pooled
        try:
            execute(conn, listen_on(channel))
            began = time.monotonic()
            execute(conn, self_test(channel))
            heard = next(conn.notifies(timeout=ROUND_TRIP, stop_after=1), None)
        except (psycopg.errors.ReadOnlySqlTransaction, psycopg.errors.FeatureNotSupported):
            return unknown("a standby has no LISTEN", "name the primary in the DSN")
    took = time.monotonic() - began
    if pooled:
        return warn(
            "a pooler in transaction mode stands between: LISTEN does not last, and workers poll",
            "pgqueue worker --listen-dsn DSN, one that leads to the server itself; or --poll-only",
        )
    if heard is None:
        return fail(
            f"a notification to ourselves did not arrive within {ROUND_TRIP:g} s: workers find jobs by polling alone",
            "pgqueue worker --listen-dsn DSN, one that leads to the server itself; or --poll-only",
        )
    return ok(f"a notification arrived after {took * 1000:.0f} ms, no pooler between")


def prepared(patient: Patient) -> Found:
    """Statements that were prepared are there when they are called."""
    if not patient.conn.pooled:
        return ok("prepared statements last as long as the session")
    try:
        with (
            closing(open_connection(patient.dsn, "doctor", deadline=ROUND_TRIP)) as conn,
            closing(open_connection(patient.dsn, "doctor", deadline=ROUND_TRIP)) as other,
        ):
            conn.prepare_threshold = 0
            conn.execute("select 1")
            # Who has a transaction keeps the session in which that was prepared.
            other.execute("begin")
            other.execute("select 1")
            conn.execute("select 1")
    except (psycopg.errors.InvalidSqlStatementName, psycopg.errors.DuplicatePreparedStatement):
        return warn(
            "a pooler loses prepared statements: connections of applications fail after some calls",
            "psycopg.connect(dsn, prepare_threshold=None) there; pgqueue's own do so",
        )
    return ok("a pooler stands between, and keeps prepared statements")


def clock(patient: Patient, now: Callable[[], float] = time.time) -> Found:
    """This host's clock beside the database's, which decides when jobs are due."""
    before = now()
    there = execute(patient.conn, _CLOCK)
    after = now()
    ahead = (before + after) / 2 - there
    # It was somewhere between the two.
    surely = abs(ahead) - (after - before) / 2
    if surely <= patient.bounds.clock:
        return ok(f"this host's clock is within {max(abs(ahead), 0.001):.3f} s of the database's")
    text = (
        f"this host's clock is {abs(ahead):.1f} s {'ahead of' if ahead > 0 else 'behind'} the database's: jobs are"
        " due by that one, and times that applications compute are off"
    )
    cure = "chronyc makestep, on the host whose clock is wrong; and keep a time service running"
    return fail(text, cure) if surely > FAR_OFF else warn(text, cure)
