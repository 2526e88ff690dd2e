"""What is said in the database of jobs to come, what is fed, and what is wrong."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pgqueue.dashboard.api.plain import shown
from pgqueue.dashboard.api.route import Route
from pgqueue.dashboard.database import Conn
from pgqueue.dashboard.pages import doctor, feeds, settings
from pgqueue.dashboard.pages.page import Asked
from pgqueue.doctor import Verdict
from pgqueue.store.feeds import Feed
from pgqueue.store.queues import Settings
from pgqueue.store.routes import Route as QueueRoute


@dataclass(frozen=True, slots=True)
class SettingsAnswer:
    """Routes, by pattern, and what queues say of their jobs; of more than 1,000 of each, so many are left out."""

    routes: list[QueueRoute]
    more_routes: int
    queues: list[Settings]
    more_queues: int


@dataclass(frozen=True, slots=True)
class Feeds:
    """Feeds by name; of more than 200, so many are `left_out`."""

    items: list[Feed]
    left_out: int


@dataclass(frozen=True, slots=True)
class DoctorAnswer:
    """What is wrong with the database, worst first, as it was `at` that moment: it is asked once in 30 seconds."""

    at: datetime
    verdicts: Sequence[Verdict]


def said(conn: Conn, asked: Asked) -> SettingsAnswer:
    """Routes and settings."""
    told = settings.load(conn, asked)
    return SettingsAnswer(told["routes"], told["more_routes"], told["settings"], told["more_settings"])


def fed(conn: Conn, asked: Asked) -> Feeds:
    """The feeds."""
    told = feeds.load(conn, asked)
    return Feeds([_visible(row, asked) for row in told["rows"]], told["left_out"])


def found(conn: Conn, asked: Asked) -> DoctorAnswer:
    """What the doctor finds."""
    told = doctor.load(conn, asked)
    return DoctorAnswer(told["at"], told["verdicts"])


def _visible(row: Feed, asked: Asked) -> Feed:
    return replace(row, cursor=shown(asked.redaction.of_json(json.dumps(row.cursor))))


ROUTES = (
    Route("settings", "/settings", "Routes, and settings of queues", said, SettingsAnswer, page="/settings"),
    Route("feeds", "/feeds", "The feeds, by name; for who sees all queues", fed, Feeds, page="/feeds"),
    Route("doctor", "/doctor", "What is wrong with the database, worst first", found, DoctorAnswer, page="/doctor"),
)
