"""What exists for somebody who is to see some queues alone."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import psycopg
import pytest

from pgqueue.dashboard import Dashboard, User
from pgqueue.store import execute, limits, queues, schedules
from tests.dashboard.asking import ask
from tests.dashboard.conftest import NewApp
from tests.dashboard.filled import OTHERS, THEIRS, fill_two_tenants
from tests.factories import enqueue

Conn = psycopg.Connection[Any]


@pytest.fixture
def tenant(new_app: NewApp) -> Dashboard:
    return new_app(auth=lambda _: User("ann", "operator", ["mail.*"]))


def test_nothing_of_other_queues_is_shown_anywhere(tenant: Dashboard, conn: Conn) -> None:
    hidden = fill_two_tenants(conn)
    seen = 0
    for path in (
        "/",
        "/queues",
        "/jobs",
        "/running",
        "/dead",
        "/workers",
        "/schedules",
        "/limits",
        "/settings",
        "/feeds",
        "/operations",
        "/audit",
    ):
        text = ask(tenant, path).text
        assert OTHERS not in text, path
        seen += THEIRS in text
    assert seen > 5
    for address in (f"/queue?name={OTHERS}", f"/schedule?name=of {OTHERS}", f"/limit?of=queue&name={OTHERS}"):
        assert ask(tenant, address).status == 404
    for job in hidden:
        assert ask(tenant, f"/jobs/{job}").status == 404
    assert str(hidden[0]) not in ask(tenant, f"/jobs?q=queue:{OTHERS}").text


def test_no_link_to_a_next_page_tells_the_name_of_what_is_others(
    tenant: Dashboard, conn: Conn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Page by page, one row each, past what belongs to others: each of theirs comes once, and nothing else."""
    for page in ("queues", "schedules", "limits"):
        monkeypatch.setattr(f"pgqueue.dashboard.pages.{page}.LIMIT", 1)
    monkeypatch.setattr("pgqueue.dashboard.pages.behind.STEP", 2)
    names = ("bank.1", "bank.2", "bank.3", "mail.1", "mail.bank", "mint-bank", "n-bank", "o-bank")
    for queue in names:
        execute(conn, queues.set_settings(queues.Settings(queue, 60.0, None, None, None)))
        execute(conn, limits.put("queue", queue, 3, None, None, None, None, None))
        execute(conn, schedules.put({"name": f"of {queue}", "every": 60, "target": "a:b", "queue": queue}))
    theirs = {"mail.1", "mail.bank"}
    for page in ("queues", "schedules", "limits"):
        met: set[str] = set()
        address: str | None = f"/{page}"
        for _ in names:
            text = ask(tenant, address).text if address else ""
            met |= {name for name in names if name in text}
            following = re.search(rf'href="(/{page}\?[^"]*after=[^"]*)">Next page', text)
            address = unescape(following[1]) if following else None
        assert met == theirs, page
        assert address is None, page


def test_a_viewer_sees_no_arguments_and_no_results(new_app: NewApp, conn: Conn) -> None:
    job = enqueue(conn, {"to": "the-argument"}, store_result=True)
    for role, sees in (("viewer", False), ("operator", True)):
        app = new_app(auth=lambda _, role=role: User("ann", role))
        assert ("the-argument" in ask(app, f"/jobs/{job}").text) is sees
