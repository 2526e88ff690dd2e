"""Acting in a real browser: with keys alone, without a script, on a phone; and every form readable in both themes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import psycopg
import pytest

from pgqueue.dashboard import User, create_app
from pgqueue.job import JobState
from tests.browser.browsing import SCHEMES, overflow, tab, violations
from tests.browser.shop import open_shop
from tests.dashboard.posting import address
from tests.dashboard.serving import close, served
from tests.factories import job, state

pytestmark = pytest.mark.browser
Conn = psycopg.Connection[Any]


@pytest.fixture
def site(dsn: str) -> Iterator[str]:
    app = create_app(dsn, actions=True)
    with served(app) as address:
        yield address
    close(app)


def reach(page: Any, name: str) -> None:
    """Go to a control by Tab alone."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if name in (page.evaluate("document.activeElement.textContent") or "").strip():
            return
    raise AssertionError(f"{name} is not reached")


def test_a_job_is_retried_with_keys_alone_and_that_is_said(started: Any, site: str, conn: Conn) -> None:
    dead = open_shop(conn)["dead"]
    with tab(started, site) as page:
        page.goto(f"{site}/jobs/{dead}")
        reach(page, "Retry")
        page.keyboard.press("Enter")
        page.locator("#notice", has_text="It is ready again").wait_for()
        page.locator("#said", has_text="ready again").wait_for(state="attached")
        assert page.url == f"{site}/jobs/{dead}"
        assert state(conn, dead) is not JobState.DEAD
        page.reload()
        assert page.locator("#notice").count() == 0


def test_a_job_is_cancelled_with_keys_alone_after_a_question(started: Any, site: str, conn: Conn) -> None:
    waiting = open_shop(conn)["waiting"]
    with tab(started, site) as page:
        page.goto(f"{site}/jobs/{waiting}")
        reach(page, "Cancel")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Cancel?").wait_for()
        assert state(conn, waiting) is not JobState.CANCELLED
        assert violations(page) == []
        reach(page, "Leave it")
        page.keyboard.press("Enter")
        page.wait_for_url(f"{site}/jobs/{waiting}")
        page.go_back()
        page.get_by_label("Reason").fill("asked for by the customer")
        reach(page, "Cancel")
        page.keyboard.press("Enter")
        page.locator("#notice", has_text="It is cancelled").wait_for()
        assert state(conn, waiting) is JobState.CANCELLED


def test_no_single_key_changes_anything(started: Any, site: str, conn: Conn) -> None:
    dead = open_shop(conn)["dead"]
    before = conn.execute("select max(id) from pgqueue.audit").fetchone()
    with tab(started, site) as page:
        page.goto(f"{site}/jobs/{dead}")
        for key in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789":
            page.keyboard.press("Escape")
            page.keyboard.press(key)
        assert conn.execute("select max(id) from pgqueue.audit").fetchone() == before


def test_it_works_without_javascript(started: Any, site: str, conn: Conn) -> None:
    dead = open_shop(conn)["dead"]
    with tab(started, site, java_script_enabled=False, refused="status of 422") as page:
        page.goto(f"{site}/jobs/{dead}")
        page.get_by_role("link", name="Edit…").click()
        page.get_by_label("Arguments").fill("{not json")
        page.get_by_label("Reason").fill("a typo")
        page.get_by_role("button", name="Edit").click()
        assert "not JSON" in page.get_by_role("alert").inner_text()
        assert page.get_by_label("Arguments").input_value() == "{not json"
        page.get_by_label("Arguments").fill('{"order_id": 7}')
        page.get_by_role("button", name="Edit").click()
        assert "It has these arguments now" in page.locator("#notice").inner_text()
        assert job(conn, dead).args == {"order_id": 7}
        page.get_by_role("button", name="Retry").click()
        assert "It is ready again" in page.locator("#notice").inner_text()
        page.get_by_text("More", exact=True).click()
        page.get_by_role("link", name="Bury…").click()
        page.get_by_role("button", name="Bury").click()
        assert state(conn, dead) is JobState.DEAD


def test_a_button_pressed_twice_acts_once(started: Any, site: str, conn: Conn) -> None:
    done = open_shop(conn)["succeeded"]
    before = conn.execute("select count(*) from pgqueue.jobs").fetchone()
    with tab(started, site) as page:
        page.goto(site + address("job", "run-again", done))
        page.get_by_role("button", name="Run again").dblclick()
        page.locator("#notice").wait_for()
    assert before is not None
    assert conn.execute("select count(*) from pgqueue.jobs").fetchone() == (before[0] + 1,)


def test_buttons_change_with_the_job_while_somebody_looks(started: Any, site: str, conn: Conn) -> None:
    dead = open_shop(conn)["dead"]
    with tab(started, site) as page:
        page.goto(f"{site}/jobs/{dead}")
        page.get_by_role("button", name="Retry").wait_for()
        page.locator("#live-said", has_text="live").wait_for()
        conn.execute("select pgqueue.retry(%s)", [dead])
        page.get_by_role("link", name="Cancel…").wait_for(timeout=10_000)
        assert page.get_by_role("button", name="Retry").count() == 0


@pytest.mark.parametrize(("scheme", "width"), [*product(SCHEMES, (400, 1280))])
def test_every_form_and_bar_fits_and_is_accessible(
    scheme: str, width: int, started: Any, site: str, conn: Conn
) -> None:
    jobs = open_shop(conn)
    worker = jobs["worker"]
    forms = [
        *(address("job", name, jobs["dead"]) for name in ("retry", "edit", "run-again")),
        *(address("job", name, jobs["waiting"]) for name in ("cancel", "priority", "snooze", "bury")),
        *(address("queue", name, "mail") for name in ("pause", "limit", "set")),
        *(address("limit", name, "key:stripe") for name in ("change", "remove")),
        *(address("worker", name, worker) for name in ("stop", "evict")),
        address("limits", "set", "all"),
    ]
    pages = [f"/jobs/{jobs['dead']}", f"/jobs/{jobs['waiting']}", "/queue?name=mail", "/limits", "/limit?name=stripe"]
    with tab(started, site, width=width, scheme=scheme) as page:
        for path in (*pages, "/schedule?name=tidy", f"/worker?id={worker}", *forms):
            page.goto(site + path)
            assert overflow(page) == [], path
            assert violations(page) == [], path


def test_on_a_phone_the_buttons_stay_at_the_bottom(started: Any, site: str, conn: Conn) -> None:
    waiting = open_shop(conn)["waiting"]
    with tab(started, site, width=400) as page:
        page.goto(f"{site}/jobs/{waiting}")
        bar = page.get_by_role("group", name="What may be done")
        for _ in range(2):
            box = bar.bounding_box()
            assert box["y"] + box["height"] == pytest.approx(900, abs=1)
            page.evaluate("scrollTo(0, 400)")
        page.get_by_text("More", exact=True).click()
        page.get_by_role("link", name="Snooze…").click()
        page.get_by_label("For", exact=False).first.fill("1h")
        page.get_by_role("button", name="Snooze").click()
        assert state(conn, waiting) is JobState.SCHEDULED


def test_what_somebody_may_not_is_greyed_and_says_why(started: Any, dsn: str, conn: Conn) -> None:
    dead = open_shop(conn)["dead"]
    app = create_app(dsn, actions=True, auth=lambda _: User("ann", "viewer"))
    with served(app) as site, tab(started, site) as page:
        page.goto(f"{site}/jobs/{dead}")
        assert page.get_by_role("button", name="Retry").is_disabled()
        assert page.get_by_text("the role viewer lacks the permission retry").is_visible()
        assert violations(page) == []
    close(app)
