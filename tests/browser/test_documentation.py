"""The documentation in a real browser: it reads, it is searched, and it asks nobody else for anything."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from tests.browser.browsing import SCHEMES, shot, tab
from tests.dashboard.serving import served
from tests.docs.building import build

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def documentation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = build(tmp_path_factory.mktemp("site"))
    with served(Starlette(routes=[Mount("/", StaticFiles(directory=folder, html=True))])) as address:
        yield address


@pytest.mark.parametrize(("scheme", "width"), [*product(SCHEMES, (400, 1280))])
def test_the_first_screen_shows_a_job_and_fits(
    scheme: str, width: int, started: Any, documentation: str, tmp_path: Path
) -> None:
    with tab(started, documentation, width=width, scheme=scheme) as page:
        page.goto(f"{documentation}/index.html")
        assert page.get_by_role("heading", name="pgqueue", exact=False).first.is_visible()
        assert page.locator("code", has_text="send_receipt.enqueue(conn, order_id=42)").first.is_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        shot(page, tmp_path, f"start-{scheme}-{width}")


@pytest.mark.parametrize(
    ("typed", "heading"),
    [
        ("job is not there", "My job is not there"),
        ("runs twice", "It runs twice"),
        ("two apps one database", "Two apps in one database"),
        ("connection is closed", "The connection is closed"),
    ],
)
def test_a_symptom_is_among_the_first_three_found_by_its_words(
    typed: str, heading: str, started: Any, documentation: str
) -> None:
    with tab(started, documentation) as page:
        page.goto(f"{documentation}/index.html")
        box = page.get_by_role("textbox", name="Search")
        box.click()
        box.press_sequentially(typed)
        # While it is typed, pages come and go.
        item = page.locator(".md-search-result__item:nth-child(-n+3)", has_text=heading)
        item.wait_for(state="visible")
        assert item.locator("h1").inner_text().strip() == "Questions by symptom"
        item.locator("a").first.click()
        page.wait_for_url("**/guides/faq.html*")


@pytest.mark.parametrize("name", ["reference/cli", "guides/deploying", "performance", "design/README", "guarantees"])
def test_wide_tables_scroll_within_themselves(name: str, started: Any, documentation: str) -> None:
    with tab(started, documentation, width=400) as page:
        page.goto(f"{documentation}/{name.replace('README', 'index')}.html")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
