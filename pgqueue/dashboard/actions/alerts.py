"""What is said of one alert: that nobody is to be told of it for a while."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol

from pgqueue.acting import alerts
from pgqueue.dashboard.actions.action import Action, Doing, Done, Subject
from pgqueue.dashboard.auth import User
from pgqueue.dashboard.database import Conn
from pgqueue.dashboard.fields import DURATION, Field
from pgqueue.dashboard.pages.page import Missing
from pgqueue.store import alerts as store
from pgqueue.store import execute
from pgqueue.store.alerts import LONGEST_KEY, Alert


class Mutable(Protocol):
    """An alert, or its line on a page."""

    @property
    def muted_until(self) -> datetime | None:
        """Until when nobody is told; None, or a moment that has passed, is not at all."""


def _alert(conn: Conn, user: User, key: str) -> Alert:
    found = execute(conn, store.one(key)) if user.queues is None else None
    if found is None:
        raise Missing(f"no alert {key:.80}")
    return found


def _is_muted(row: Mutable) -> bool:
    return row.muted_until is not None and row.muted_until > datetime.now(UTC)


def _mute(conn: Conn, doing: Doing) -> Done:
    alerts.mute(conn, doing.actor, doing.thing.key, doing.values["for"])
    return Done("Nobody is told of it until then.")


def _unmute(conn: Conn, doing: Doing) -> Done:
    alerts.unmute(conn, doing.actor, doing.thing.key)
    return Done("People are told of it again.")


ALERT = Subject(
    "alert",
    find=_alert,
    key=lambda row: row.key,
    called=lambda row: f"Alert {row.key}",
    page=lambda _key: ("overview", {}),
    longest=LONGEST_KEY,
)
ACTIONS = (
    Action(
        "mute",
        on=ALERT,
        words="Mute",
        permission="edit",
        about="It stays open, and nobody is told of it.",
        fields=(Field("for", "For", DURATION, "90m, 1d, 2w", lambda _doing: "1d", required=True),),
        fits=lambda row: not _is_muted(row),
        act=_mute,
    ),
    Action("unmute", on=ALERT, words="Unmute", permission="edit", fits=_is_muted, act=_unmute),
)
