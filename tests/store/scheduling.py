"""Short ways to say a schedule, to let it be due, and to decide about it as schedulers do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from pgqueue.cron import Decision, Tick
from pgqueue.store import execute, schedules
from pgqueue.store.schedules import Fired
from tests.factories import Conn

TZDATA = "2026a"
HOUR = timedelta(hours=1)


def put(conn: Conn, name: str = "s", **said: Any) -> bool | None:
    values = {"name": name, "target": "shop.tasks:send", "every": 3600.0, **said}
    return execute(conn, schedules.put({name: value for name, value in values.items() if value is not None}))


def make_due(conn: Conn, *names: str) -> list[datetime]:
    """Let schedules be due now; answers their next_at."""
    found = conn.execute(
        "update pgqueue.schedules set next_at = clock_timestamp() - interval '1 s', last_at = now() - interval '1 day'"
        " where name = any (%s) returning name, next_at",
        [list(names)],
    ).fetchall()
    return [at for _, at in sorted(found)]


def decision(name: str, expected: datetime, *ticks: Tick, next_at: datetime | None = None) -> Decision:
    return Decision(name, expected, ticks, next_at or datetime.now(UTC) + HOUR)


def fire(conn: Conn, *decisions: Decision) -> Fired:
    return execute(conn, schedules.fire(decisions, TZDATA))


def history(conn: Conn, name: str = "s") -> list[tuple[str, UUID | None]]:
    return [(tick.why, tick.job_id) for tick in reversed(execute(conn, schedules.history(name, 100)))]


def row(conn: Conn, name: str = "s") -> schedules.ScheduleRow:
    found = execute(conn, schedules.get(name))
    assert found is not None
    return found


def ago(**length: float) -> datetime:
    return datetime.now(UTC) - timedelta(**length)
