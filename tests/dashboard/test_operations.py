"""The pages of operations and of the audit: who did what, on which jobs, and how far it is."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import psycopg

from pgqueue import operations
from pgqueue.dashboard import Dashboard, User
from pgqueue.operations import Plan
from pgqueue.store import audit, execute
from pgqueue.store import operations as store
from tests.dashboard.asking import ask
from tests.dashboard.conftest import NewApp
from tests.factories import fill

Conn = psycopg.Connection[Any]


def begin(conn: Conn, who: str = "ann", via: str = "test", **more: Any) -> int:
    said = {"kind": "cancel", "filter": "queue:default", "made_at": datetime.now(UTC), **more}
    return operations.begin(conn, Plan(who=who, via=via, **said))


def test_an_operation_says_how_far_it_is_and_what_is_left(app: Dashboard, conn: Conn) -> None:
    fill(conn, 8)
    number = begin(conn, reason="moving house", rate=500.0)
    operations.step(conn, number, most=2)
    page = ask(app, f"/operations/{number}").text
    for words in ("2 cancelled, 6 to come (25 %).", "queue:default", "at most 500/s", "ann, test", "moving house"):
        assert words in page, words
    execute(conn, store.stop(number, "enough"))
    assert "enough" in ask(app, f"/operations/{number}").text
    execute(conn, store.resume(number, detached=False))
    while operations.step(conn, number).pause is not None:
        conn.execute("update pgqueue.operations set next_at = now()")
    page = ask(app, f"/operations/{number}").text
    assert "8 cancelled." in page
    assert "s-succeeded" in page


def test_one_that_nobody_drives_is_said_to_stand_still(app: Dashboard, conn: Conn) -> None:
    fill(conn, 3)
    number = begin(conn)
    assert "Nobody drives it" not in ask(app, f"/operations/{number}").text
    conn.execute("update pgqueue.operations set changed_at = now() - interval '1 hour', next_at = changed_at")
    conn.execute("update pgqueue.operations set next_at = changed_at")
    assert "Nobody drives it: the command that began it is gone" in ask(app, f"/operations/{number}").text
    assert "stands still" in ask(app, "/operations").text


def test_pages_go_on_from_a_number_and_show_each_once(app: Dashboard, conn: Conn) -> None:
    made = [begin(conn) for _ in range(55)]
    for path, shape in (("/operations", r'/operations/(\d+)"'), ("/audit", r"operation (\d+): cancel")):
        first = ask(app, path).text
        (older,) = re.findall(rf'href="({path}\?before=\d+)"', first)
        second = ask(app, older).text
        seen = [int(each) for page in (first, second) for each in re.findall(shape, page)]
        assert seen == made[::-1], path
        assert f'href="{path}?before=' not in second


def test_of_a_tenant_there_are_their_own_alone(new_app: NewApp, conn: Conn) -> None:
    tenant = new_app(auth=lambda _: User("ann", "operator", ["mail.*"]))
    mine = begin(conn, via="dashboard", filter="queue:mail.eu")
    others = [begin(conn, via="cli", filter="queue:bank"), begin(conn, who="bob", via="dashboard", filter="queue:bank")]
    assert "queue:mail.eu" in ask(tenant, "/operations").text
    for path in ("/operations", "/audit"):
        assert "bank" not in ask(tenant, path).text
    assert ask(tenant, f"/operations/{mine}").status == 200
    for number in others:
        assert ask(tenant, f"/operations/{number}").status == 404


def test_what_a_user_could_not_ask_is_not_shown_as_somebody_elses_question(new_app: NewApp, conn: Conn) -> None:
    viewer, operator = (new_app(auth=lambda _, role=role: User("ann", role)) for role in ("viewer", "operator"))
    number = begin(conn, filter="queue:default args.email=ann@example.org args.password=sesame")
    execute(conn, audit.write("bob", "cli", "queues pause", filter_text="mail"))
    for path in ("/operations", f"/operations/{number}", "/audit"):
        seen_by_viewer, seen_by_operator = ask(viewer, path).text, ask(operator, path).text
        assert "ann@example.org" not in seen_by_viewer
        assert "ann@example.org" in seen_by_operator
        assert "sesame" not in seen_by_viewer + seen_by_operator
    assert "<code>mail</code>" in ask(viewer, "/audit").text
