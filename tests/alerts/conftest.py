"""A database that one module's tests share, emptied before each; and real servers that take messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.alerts.receiving import Hook, Mailbox
from tests.postgres import Databases

TABLES = (
    "jobs, attempts, dead_jobs, workers, worker_reports, tallies, depths, causes, queues, limits, holds, schedules,"
    " ticks, alert_channels, alert_rules, alerts, alert_messages, audit"
)


@pytest.fixture(scope="module")
def shared(databases: Databases) -> Iterator[str]:
    """The DSN of a database for all tests of a module."""
    name = databases.create()
    yield databases.server.dsn(name, tcp=True)
    databases.drop(name)


@pytest.fixture
def db(shared: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection on which each statement commits, to the shared database, which is empty."""
    with psycopg.connect(shared, autocommit=True) as conn:
        conn.execute(f"truncate {', '.join(f'pgqueue.{name}' for name in TABLES.replace(' ', '').split(','))}")
        conn.execute("update pgqueue.duties set done_at = '2000-01-01'")
        conn.execute("update pgqueue.duties set done_at = 'infinity' where name = 'doctor'")
        yield conn


@pytest.fixture
def hook() -> Iterator[Hook]:
    """A server of HTTP that takes webhooks."""
    with Hook() as hook:
        yield hook


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """A server of SMTP that takes mail."""
    with Mailbox() as mailbox:
        yield mailbox
