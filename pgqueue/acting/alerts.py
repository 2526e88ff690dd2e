"""What people say of one alert: that nobody is to be told of it for a while."""

from __future__ import annotations

from datetime import timedelta

from pgqueue.acting.audited import Actor, Conn, audited
from pgqueue.store import alerts, execute, reports


def mute(conn: Conn, actor: Actor, key: str, lasting: timedelta) -> None:
    """Tell nobody of an alert for so long; it need not have been wrong yet."""
    with audited(conn, actor, "alerts mute", on=key):
        execute(conn, alerts.mute(key, execute(conn, reports.now()) + lasting, actor.who))


def unmute(conn: Conn, actor: Actor, key: str) -> None:
    """Tell people of an alert again."""
    with audited(conn, actor, "alerts unmute", on=key):
        execute(conn, alerts.mute(key, None, actor.who))
