"""Open alerts stand on the overview, for those who see all queues; what they say steers no browser."""

from __future__ import annotations

from typing import Any

import psycopg

from pgqueue.dashboard import User
from tests.alerts.scenes import M, channel, died, looks, now
from tests.dashboard.asking import ask
from tests.dashboard.conftest import NewApp

Conn = psycopg.Connection[Any]


def test_open_alerts_stand_on_the_overview(new_app: NewApp, conn: Conn) -> None:
    assert "Open alerts" not in ask(new_app(), "/").text
    channel(conn)
    died(conn, n=31)
    conn.execute("select pgqueue.note_alert('stalled', '<img src=x>', 0, now(), '{\"due\": \"<b>\"}', now())")
    begin = now()
    looks(conn, begin, begin + M)
    text = ask(new_app(), "/").text
    assert "Open alerts" in text
    assert "31 dead jobs: OSError in shop.tasks:send" in text
    assert "<img src=x>" not in text
    assert 'href="/causes/0123456789ab"' in text


def test_who_sees_some_queues_alone_sees_no_alerts(new_app: NewApp, conn: Conn) -> None:
    channel(conn)
    died(conn, n=31)
    begin = now()
    looks(conn, begin, begin + M)
    tenant = new_app(auth=lambda _: User("ann", "viewer", ["web"]))
    assert "Open alerts" not in ask(tenant, "/").text
