"""One dashboard for several databases: a line for each, and all pages of each below its name."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

import pgqueue
from pgqueue.dashboard.auth import Role, User
from pgqueue.dashboard.several import SeveralDashboards, create_app_of_several, names_of
from tests.dashboard.asking import ask
from tests.faults.silence import SilentProxy


@pytest.fixture
def app(dsns: list[str]) -> Iterator[SeveralDashboards]:
    app = create_app_of_several(dsns)
    yield app
    asyncio.run(app.aclose())


def name_of(dsn: str) -> str:
    return str(conninfo_to_dict(dsn)["dbname"])


def test_each_database_has_a_line_and_its_own_pages(app: SeveralDashboards, dsns: list[str]) -> None:
    with psycopg.connect(dsns[1]) as conn:
        pgqueue.enqueue_many(conn, [pgqueue.NewJob("acme.tasks:bill", [each]) for each in range(7)])
    first = ask(app, "/")
    assert first.status == 200
    rows = re.findall(r"<tr>\s*<th scope=.row.>(.*?)</tr>", first.text, re.DOTALL)
    assert [f"/db/{name_of(dsn)}/" in row for dsn, row in zip(dsns, rows, strict=True)] == [True, True]
    ready = [re.search(r'data-label="ready">(?:<[^>]*>)?(\d+)<', row)[1] for row in rows]  # type: ignore[index]
    assert ready == ["0", "7"]
    for dsn, count in zip(dsns, (0, 7), strict=True):
        page = ask(app, f"/db/{name_of(dsn)}/jobs")
        assert page.status == 200
        assert page.text.count("acme.tasks:bill") >= count
        assert (count > 0) == ("acme.tasks:bill" in page.text)
        # No address leads out of its database.
        inside = set(re.findall(r'(?:href|src|action)="(/[^"]*)"', page.text))
        assert all(each.startswith(f"/db/{name_of(dsn)}/") for each in inside)
    assert ask(app, "/db/nobody/").status == 404
    assert ask(app, "/healthz").status == 200


def test_one_that_does_not_answer_is_said_and_holds_up_no_other(dsns: list[str]) -> None:
    given = conninfo_to_dict(dsns[1])
    proxy = SilentProxy(str(given["host"]), int(str(given["port"])))
    frozen = make_conninfo(dsns[1], port=proxy.port, sslmode="disable", gssencmode="disable")
    away = make_conninfo(dsns[1], port="1")
    app = create_app_of_several([dsns[0], frozen, away])
    try:
        proxy.hush([""])
        began = time.monotonic()
        page = ask(app, "/")
        assert time.monotonic() - began < 9
        assert "did not answer in time" in page.text or "no connection to" in page.text
        assert page.text.count('data-label="ready"') == 1
        assert ask(app, f"/db/{name_of(dsns[0])}/").status == 200
    finally:
        proxy.close()
        asyncio.run(app.aclose())


def test_who_sees_some_queues_alone_is_shown_no_sums(dsns: list[str]) -> None:
    app = create_app_of_several(dsns, auth=lambda _: User("ann", Role.VIEWER, queues=["mail"]))
    try:
        page = ask(app, "/")
        assert page.status == 200
        assert 'data-label="ready"' not in page.text
        assert f"/db/{name_of(dsns[0])}/" in page.text
    finally:
        asyncio.run(app.aclose())


def test_nobody_from_elsewhere_sees_the_list(app: SeveralDashboards) -> None:
    assert ask(app, "/", client=("10.0.0.7", 1)).status == 403


def test_two_databases_of_one_name_have_names_of_their_own() -> None:
    named = names_of(["host=a dbname=shop", "host=b dbname=shop", "host=c dbname='two words'"])
    assert named == {
        "shop": "host=a dbname=shop",
        "shop-2": "host=b dbname=shop",
        "two-words": "host=c dbname='two words'",
    }
