"""Open alerts stand on the overview, for those who see all queues; what they say steers no browser."""

from __future__ import annotations

from typing import Any

import psycopg

from pgqueue.dashboard import User
from tests.alerts.scenes import M, channel, died, looks, now
from tests.dashboard.asking import ask
from tests.dashboard.conftest import NewApp
from tests.dashboard.posting import act, address

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


def test_who_may_mutes_an_alert_for_a_while_and_it_is_written_down(new_app: NewApp, conn: Conn) -> None:
    conn.execute(
        "insert into pgqueue.alerts (key, kind, object, state, opened_at)"
        " values ('stalled:mail', 'stalled', 'mail', 'open', now())"
    )
    assert "/act/alert/" not in ask(new_app(), "/").text
    app = new_app(actions=True)
    assert "/act/alert/mute" in ask(app, "/").text
    answer = act(app, address("alert", "mute", "stalled:mail"), **{"for": "2h"})
    assert answer.status == 303
    muted = "select muted_until > now() + interval '1 hour' from pgqueue.alerts where key = 'stalled:mail'"
    assert conn.execute(muted).fetchone() == (True,)
    text = ask(app, "/").text
    assert "muted until" in text
    assert "/act/alert/mute" not in text
    assert act(app, address("alert", "unmute", "stalled:mail")).status == 303
    assert conn.execute(muted).fetchone() == (None,)
    audited = conn.execute("select action, filter, via from pgqueue.audit order by id").fetchall()
    assert audited == [("alerts mute", "stalled:mail", "dashboard"), ("alerts unmute", "stalled:mail", "dashboard")]
    # Alerts belong to no queue: for a tenant there are none.
    tenant = new_app(actions=True, auth=lambda _: User("ann", "admin", ["mail"]))
    assert act(tenant, address("alert", "unmute", "stalled:mail")).status == 404
    assert act(app, address("alert", "mute", "stalled:nothing"), **{"for": "2h"}).status == 404
