"""A browser of the system's, and pages that fail their test if anything on them goes wrong."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.postgres import ROOT

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
AXE = ROOT / "tests" / "browser" / "axe.js"
WIDTHS = (400, 1280, 2000)
SCHEMES = ("light", "dark")


def chromium() -> str | None:
    """The system's Chromium; None if there is none."""
    return os.environ.get("PGQUEUE_TEST_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def browser() -> Iterator[Any]:
    """The browser, without a screen."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        try:
            yield started
        finally:
            started.close()


@contextmanager
def tab(
    started: Any, address: str, *, width: int = 1280, scheme: str = "light", refused: str = "\0", **options: Any
) -> Iterator[Any]:
    """A tab in a profile of its own; at its end nothing may have been wrong, and nothing foreign asked for.

    `refused` stands in what the browser says of an answer that is to be expected.
    """
    context = started.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, locale="en-GB", **options
    )
    page = context.new_page()
    wrong: list[str] = []
    bad = ("error", "warning")
    page.on("console", lambda message: wrong.append(message.text) if message.type in bad else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: (wrong.append(f"dialog {dialog.message}"), dialog.dismiss()))
    page.on("request", lambda asked: None if asked.url.startswith((address, "data:")) else wrong.append(asked.url))
    try:
        yield page
        assert [each for each in wrong if refused not in each] == []
    finally:
        context.close()


def overflow(page: Any) -> list[str]:
    """What is wider than the window, and tables wider than their place."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("main table")]
          .filter((each) => each.offsetWidth > each.parentElement.clientWidth + 1)
        .concat(document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll("body *")]
          .filter((each) => each.getBoundingClientRect().right > innerWidth + 1))
          .map((each) => `${each.tagName}.${each.className} ${each.textContent.trim().slice(0, 40)}`).slice(0, 5)"""
    )
    return found


def violations(page: Any) -> list[str]:
    """What axe-core finds wrong by WCAG 2.2 A and AA."""
    # By the debugger: the page's own policy lets no script in.
    page.evaluate(AXE.read_text())
    found: list[str] = page.evaluate(
        """async () => (await axe.run({runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}))
        .violations.flatMap((each) => each.nodes.slice(0, 3).map((node) => `${each.id}: ${node.html.slice(0, 160)}
        ${node.failureSummary}`))"""
    )
    return found


def shot(page: Any, folder: Path, name: str) -> None:
    """A picture of the whole page."""
    page.screenshot(path=folder / f"{name}.png", full_page=True)
