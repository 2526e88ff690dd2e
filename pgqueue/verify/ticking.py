"""The schedules of a run: they tick while faults happen, and none of their ticks may be lost or doubled."""

from __future__ import annotations

from typing import Any

import psycopg

from pgqueue.schedules import ScheduleOptions, pause_schedule, run_schedule, schedule

Conn = psycopg.Connection[Any]

TARGET = "pgqueue.verify.tasks:plain"
# So many schedules, each of so many seconds: a part of what the producers ask for.
SCHEDULES, EVERY = 3, 2.0


def sample(conn: Conn) -> None:
    """One tick, for a quiet run."""
    schedule(conn, "sample", TARGET, [0.0], every=3600)
    run_schedule(conn, "sample")


def begin(conn: Conn) -> None:
    """Schedules that tick from now on; what an outage makes them miss is caught up, all of it."""
    for number in range(SCHEDULES):
        said: ScheduleOptions = {"every": EVERY, "catch_up": "all", "cap": 500, "grace": 1}
        if number == SCHEDULES - 1:
            # Ticks that come while its job waits are kept by that.
            said |= {"unique_key": "tick", "unique_until": "start"}
        schedule(conn, f"tick {number}", TARGET, [0.05], **said)


def end(conn: Conn) -> None:
    """No further ticks."""
    for number in range(SCHEDULES):
        pause_schedule(conn, f"tick {number}")
