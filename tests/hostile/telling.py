"""What tells people: looks at what is wrong, messages and what becomes of them, and who is told how."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from pgqueue.store import alert_settings, alerts, execute, workers
from pgqueue.store.alert_settings import Channel
from tests import factories

Conn = psycopg.Connection[Any]
HOUR = timedelta(hours=1)
# More than are told one by one.
STORM = 25


def told_on(conn: Conn) -> None:
    """Channels and rules are set, all kinds are looked for, and messages are made, sent and forgotten."""
    now = datetime.now(UTC)
    assert execute(conn, alerts.look()) == -1
    execute(conn, alert_settings.put_channel(Channel("ops", "command", {"command_env": "PGQUEUE_ALERT_X"}, None)))
    execute(conn, alert_settings.set_rule("growing", "q", 60))
    execute(conn, alert_settings.rules())
    factories.enqueue(conn, queue="untold")
    conn.execute(
        "insert into pgqueue.limits (scope, name, concurrency) values ('queue', 'told', 1) on conflict do nothing"
    )
    lost = factories.enlist(conn)
    factories.expire(conn, lost)
    execute(conn, workers.reap())
    for number in range(STORM):
        execute(conn, alerts.note("doctor", f"check {number}", 1, '{"text": "x"}'))
    conn.execute("select pgqueue.look_for_alerts(%s)", [now + HOUR / 60])
    conn.execute("select pgqueue.look_for_alerts(%s)", [now + 2 * HOUR])
    assert execute(conn, alerts.unsent("storm", "ops")) is not None
    number = execute(conn, alerts.test(["ops"], "ann"))
    execute(conn, alerts.failed("test", "ops", number, "no"))
    assert not execute(conn, alerts.sent("test", "ops", number))
    execute(conn, alerts.mute("dead:x", now, "ann"))
    assert execute(conn, alerts.one("dead:x")) is not None
    execute(conn, alerts.listed())
    execute(conn, alerts.listed(only_open=False))
    execute(conn, alerts.messages("test", 9))
    execute(conn, alerts.standing())
    execute(conn, alerts.sample("0123456789ab"))
    execute(conn, alert_settings.unset_rule("growing", "q"))
    execute(conn, alert_settings.channels())
    execute(conn, alert_settings.remove_channel("ops"))
