"""Bulk actions in a real browser: chosen by keys, by clicks without a script, and readable at every width."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import psycopg
import pytest

from pgqueue.dashboard import create_app
from tests.browser.browsing import SCHEMES, overflow, tab, violations
from tests.browser.shop import open_shop
from tests.browser.test_acting import reach
from tests.dashboard.posting import address
from tests.dashboard.serving import close, served
from tests.factories import enqueue

pytestmark = pytest.mark.browser
Conn = psycopg.Connection[Any]


@pytest.fixture
def site(dsn: str) -> Iterator[str]:
    app = create_app(dsn, actions=True)
    with served(app) as address:
        yield address
    close(app)


def dead_of(conn: Conn) -> int:
    row = conn.execute("select count(*) from pgqueue.dead_jobs where reason = 'buried'").fetchone()
    return int(row[0]) if row else 0


def test_jobs_are_chosen_and_buried_by_keys_alone(started: Any, site: str, conn: Conn) -> None:
    open_shop(conn)
    conn.execute("delete from pgqueue.workers")
    with tab(started, site) as page:
        page.goto(f"{site}/jobs?q=queue:mail+state:scheduled")
        for key in "jxjjx":
            page.keyboard.press(key)
        page.locator("#said", has_text="2 chosen").wait_for(state="attached")
        assert page.locator('tbody input[type="checkbox"]:checked').count() == 2
        reach(page, "Bury…")
        page.keyboard.press("Enter")
        page.wait_for_url(f"{site}/act/bulk/bury?of=id*")
        assert page.get_by_text("2 jobs").is_visible()
        assert page.locator(".lines li").count() == 2
        page.get_by_label("Reason").focus()
        page.keyboard.type("looked at by hand")
        reach(page, "Bury all")
        page.keyboard.press("Enter")
        page.wait_for_url(f"{site}/operations/*")
        page.get_by_text("2 buried.").wait_for(timeout=20_000)
        assert page.get_by_text("looked at by hand").is_visible()
        assert violations(page) == []
    assert dead_of(conn) == 2


def test_what_is_chosen_stays_so_while_the_page_changes(started: Any, site: str, conn: Conn) -> None:
    open_shop(conn)
    with tab(started, site) as page:
        page.goto(f"{site}/jobs?limit=25")
        page.locator("#live-said", has_text="live").wait_for()
        second = page.locator('tbody input[type="checkbox"]').nth(1)
        name = second.get_attribute("name")
        second.check()
        for _ in range(3):
            job = enqueue(conn, queue="mail")
            page.locator(f'a[title="{job}"]').wait_for(timeout=10_000)
            assert page.locator('tbody input[type="checkbox"]:checked').get_attribute("name") == name
        page.get_by_label("Choose all on this page").check()
        assert page.locator('tbody input[type="checkbox"]:checked').count() == 25


def test_all_that_match_are_moved_without_a_script(started: Any, site: str, conn: Conn) -> None:
    open_shop(conn)
    conn.execute("delete from pgqueue.workers")
    with tab(started, site, java_script_enabled=False) as page:
        page.goto(f"{site}/jobs?q=queue:reports")
        page.locator('tbody input[type="checkbox"]').first.check()
        page.get_by_role("button", name="Bury…").click()
        assert page.get_by_text("1 job").is_visible()
        page.go_back()
        page.get_by_role("group", name="With all that match").get_by_role("link", name="Bury…").click()
        page.get_by_label("At most").fill("600/m")
        page.get_by_label("Reason").fill("closing the books")
        page.get_by_role("button", name="Bury all").click()
        page.wait_for_url(f"{site}/operations/*")
        for _ in range(40):
            page.reload()
            if page.get_by_text("4 buried.").count():
                break
            page.wait_for_timeout(250)
        assert page.get_by_text("4 buried.").is_visible()
    assert dead_of(conn) == 4


@pytest.mark.parametrize(("scheme", "width"), [*product(SCHEMES, (400, 1280))])
def test_choosing_and_asking_fit_and_are_accessible(
    scheme: str, width: int, started: Any, site: str, conn: Conn
) -> None:
    open_shop(conn)
    paths = [
        "/jobs?q=queue:mail",
        "/causes/9f2c01a4b7de",
        "/operations/3",
        "/operations/2",
        address("bulk", "retry", "state:dead"),
        address("bulk", "purge", "queue:mail"),
        address("bulk", "priority", "state:ready"),
        address("bulk", "cancel", f"queue:{'W' * 300}"),
        address("cause", "describe", "9f2c01a4b7de"),
        address("cause", "mute", "9f2c01a4b7de"),
    ]
    with tab(started, site, width=width, scheme=scheme) as page:
        for path in paths:
            page.goto(site + path)
            assert page.locator("h1").is_visible(), path
            assert overflow(page) == [], path
            assert violations(page) == [], path
