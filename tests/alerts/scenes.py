"""Short ways to what is wrong, and to looks at it: the clock is what the test says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pgqueue.store import alert_settings, alerts, execute
from pgqueue.store.alert_settings import Channel
from pgqueue.store.alerts import Alert, Unsent
from tests.factories import TARGET, Conn

CAUSE = "0123456789ab"
S, M, H = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
LOCAL: dict[str, Any] = {"url": "http://127.0.0.1:9/"}


def now() -> datetime:
    return datetime.now(UTC)


def channel(
    conn: Conn, name: str = "ops", kind: str = "webhook", kinds: Sequence[str] | None = None, **how: Any
) -> None:
    execute(conn, alert_settings.put_channel(Channel(name, kind, how or LOCAL, kinds)))


def died(conn: Conn, cause: str = CAUSE, n: int = 1, at: datetime | None = None, **said: Any) -> None:
    """As workers tell it: so many jobs died of a cause."""
    row = {
        "minute": (at or now()).replace(second=0, microsecond=0),
        "queue": "mail",
        "target": TARGET,
        "outcome": "failed",
        "error_type": "OSError",
        **said,
    }
    conn.execute(
        "insert into pgqueue.tallies (minute, worker, queue, target, outcome, cause, n, ended)"
        " values (%s, 1, %s, %s, %s, %s, %s, %s)",
        [row["minute"], row["queue"], row["target"], row["outcome"], cause, n, n],
    )
    conn.execute("select pgqueue.note_causes(%s::jsonb)", [json.dumps([{**row, "minute": None, "cause": cause}])])


def look(conn: Conn, at: datetime) -> int | None:
    """One look at that time; answers how many messages it made."""
    row = conn.execute("select pgqueue.look_for_alerts(%s)", [at]).fetchone()
    assert row is not None
    answer: int | None = row[0]
    return answer


def looks(conn: Conn, begin: datetime, end: datetime, every: timedelta = 15 * S) -> int:
    """Looks from one time to another; answers how many messages they made."""
    made, at = 0, begin
    while at <= end:
        made += look(conn, at) or 0
        at += every
    return made


def told(conn: Conn) -> list[tuple[str, str]]:
    """Which messages were made, in their order."""
    rows = conn.execute("select key, what from pgqueue.alert_messages order by number, key, channel").fetchall()
    return [(key, what) for key, what in rows]


def state(conn: Conn, key: str) -> str | None:
    found = alert(conn, key)
    return found and found.state


def alert(conn: Conn, key: str) -> Alert | None:
    rows = execute(conn, alerts.listed(only_open=False, prefix=key))
    return next((row for row in rows if row.key == key), None)


def facts(conn: Conn, what: str) -> dict[str, Any]:
    """Of the newest message of that sort."""
    row = conn.execute(
        "select facts from pgqueue.alert_messages where what = %s order by number desc limit 1", [what]
    ).fetchone()
    assert row is not None
    found: dict[str, Any] = row[0]
    return found


def unsent(conn: Conn, key: str, name: str = "ops") -> Unsent | None:
    return execute(conn, alerts.unsent(key, name))


def jobs(conn: Conn) -> int:
    """Jobs that are to send something."""
    row = conn.execute("select count(*) from pgqueue.jobs where target = 'pgqueue.alerts:send'").fetchone()
    assert row is not None
    return int(row[0])
