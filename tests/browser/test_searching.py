"""Searching in a real browser: with mistakes, by keyboard, without JavaScript, on a phone."""

from __future__ import annotations

from itertools import product
from typing import Any

import psycopg
import pytest

from tests.browser.browsing import SCHEMES, overflow, tab, violations
from tests.browser.shop import open_shop

pytestmark = pytest.mark.browser
Conn = psycopg.Connection[Any]


@pytest.mark.parametrize(
    ("scheme", "width", "scripts"), [*product(SCHEMES, (400, 1280), (True,)), ("light", 1280, False)]
)
def test_a_search_from_a_mistake_to_a_job(
    scheme: str, width: int, scripts: bool, started: Any, site: str, conn: Conn
) -> None:
    open_shop(conn)

    def fine() -> None:
        page.wait_for_load_state()
        if scripts:
            assert overflow(page) == []
            assert violations(page) == []

    with tab(started, site, width=width, scheme=scheme, java_script_enabled=scripts) as page:
        page.goto(f"{site}/jobs")
        box = page.get_by_label("Which jobs")
        box.fill("state:ded queue:mail")
        box.press("Enter")
        assert page.get_by_role("alert").locator("pre").inner_text().splitlines()[-1] == "^" * 9
        assert box.input_value() == "state:ded queue:mail"
        fine()
        page.get_by_role("link", name="state:dead queue:mail").click()
        assert page.locator("tbody tr").count() == 4
        fine()
        page.get_by_role("link", name="all", exact=True).click()
        assert box.input_value() == "queue:mail"
        page.locator("#chooser summary").click()
        page.get_by_label("Attempt").uncheck()
        page.get_by_label("Unique key").check()
        fine()
        page.get_by_role("button", name="Show these").click()
        assert "columns=" in page.url
        assert "q=queue%3Amail" in page.url
        fine()
        page.get_by_role("link", name="Older").click()
        assert "before=" in page.url
        assert box.input_value() == "queue:mail"
        page.get_by_role("link", name="Newest").click()
        page.locator("tbody a.id").first.click()
        page.wait_for_url(f"{site}/jobs/*-*")


def test_a_search_by_keys_alone(started: Any, site: str, conn: Conn) -> None:
    jobs = open_shop(conn)
    with tab(started, site) as page:
        page.goto(site)
        page.keyboard.press("/")
        page.keyboard.type("state:dead")
        page.keyboard.press("Enter")
        page.wait_for_url("**/jobs?q=state%3Adead")
        page.keyboard.press("j")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_url(f"{site}/jobs/*-*")
        page.keyboard.press("/")
        page.keyboard.type(f"#{str(jobs['running'])[:18]}")
        page.keyboard.press("Enter")
        page.wait_for_url(f"{site}/jobs/{jobs['running']}")


def test_words_are_offered_that_go_on_from_what_was_typed(started: Any, site: str, conn: Conn) -> None:
    open_shop(conn)
    with tab(started, site) as page:
        page.goto(f"{site}/jobs")
        box = page.get_by_label("Which jobs")
        box.focus()
        page.keyboard.type("since:2h que")
        offered = page.evaluate("[...document.getElementById('words').options].map((each) => each.value)")
        assert "since:2h queue:mail" in offered
        assert "since:2h task:shop.video.transcoding:cut" in offered


def test_what_was_done_in_bulk_is_looked_at_by_keys(started: Any, site: str, conn: Conn) -> None:
    open_shop(conn)
    with tab(started, site) as page:
        page.goto(site)
        page.keyboard.press("g")
        page.keyboard.press("b")
        page.wait_for_url(f"{site}/operations")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_url(f"{site}/operations/3")
        assert page.get_by_text("at most 50/s").is_visible()
        page.go_back()
        page.get_by_role("link", name="Audit").last.click()
        page.wait_for_url(f"{site}/audit")
        assert page.get_by_text("wrong tenant").count() == 0
        assert page.get_by_text("tenant t3 left").is_visible()
