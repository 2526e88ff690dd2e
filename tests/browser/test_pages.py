"""Every page in a real browser: both themes, three widths, empty, ordinary and hostile; readable, and nothing wrong."""

from __future__ import annotations

from itertools import product
from typing import Any

import psycopg
import pytest

from tests.browser.browsing import SCHEMES, WIDTHS, overflow, tab, violations
from tests.browser.shop import open_shop
from tests.dashboard.filled import fill
from tests.dashboard.test_hostile import PAYLOADS

pytestmark = pytest.mark.browser
Conn = psycopg.Connection[Any]
PATHS = (
    "/",
    "/queues",
    "/queue?name=mail",
    "/jobs",
    "/jobs?q=state:dead",
    "/running",
    "/dead",
    "/workers",
    "/schedules",
)
PATHS += (
    "/schedule?name=tidy",
    "/limits",
    "/limit?of=queue&name=video",
    "/worker?id={worker}",
    "/settings",
    "/feeds",
    "/doctor",
    "/workflows",
    "/workflows/{workflow}",
    "/jobs/{dead}",
    "/jobs/{running}",
)
PATHS += (
    "/jobs?q=queu:mail",
    "/jobs?q=queue:mai",
    "/jobs?columns=state,task,queue,priority,attempt,enqueued,moment,started,worker,key,limit,reason,error",
    "/operations",
    "/operations/1",
    "/operations/3",
    "/audit",
    "/at",
    "/at?when=no+moment",
    "/queue?name=mail&slots=%2B8",
)
PATHS += ("/causes", "/causes/9f2c01a4b7de", "/jobs/{waiting}", "/jobs/{succeeded}", "/nowhere")


@pytest.mark.parametrize(("scheme", "width"), [*product(SCHEMES, WIDTHS)])
def test_every_page_fits_and_is_accessible(scheme: str, width: int, started: Any, site: str, conn: Conn) -> None:
    jobs = open_shop(conn)
    with tab(started, site, width=width, scheme=scheme) as page:
        for path in PATHS:
            if path == "/nowhere":
                continue
            page.goto(site + path.format(**jobs))
            assert overflow(page) == [], path
            assert violations(page) == [], path


@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_fits_and_is_accessible_where_there_is_nothing(width: int, started: Any, site: str) -> None:
    with tab(started, site, width=width) as page:
        for path in PATHS:
            if (
                "?" in path
                or "{" in path
                or path[-1].isdigit()
                or path in ("/doctor", "/causes/9f2c01a4b7de", "/nowhere")
            ):
                continue
            page.goto(site + path)
            assert page.locator(".empty").count() > 0, path
            assert overflow(page) == [], path
            assert violations(page) == [], path


@pytest.mark.parametrize("width", [400, 800, 1280])
def test_names_without_end_and_hostile_ones_leave_the_page_as_it_is(
    width: int, started: Any, site: str, conn: Conn
) -> None:
    from tests.dashboard.test_hostile import empty

    for payload in ("W" * 480, "x\u0301" * 240, PAYLOADS[1], PAYLOADS[10], "a" * 80 + " " + "b" * 80):
        empty(conn)
        found = fill(conn, payload)
        with tab(started, site, width=width) as page:
            for shape in (
                "/",
                "/queues",
                "/jobs",
                "/workers",
                "/schedules",
                "/feeds",
                "/dead",
                "/jobs/{dead}",
                "/settings",
                "/workflows",
                "/workflows/{workflow}",
            ):
                page.goto(site + found.address(shape))
                assert overflow(page) == [], (shape, payload[:20])


def test_every_page_works_without_javascript(started: Any, site: str, conn: Conn) -> None:
    jobs = open_shop(conn)
    with tab(started, site, java_script_enabled=False) as page:
        for path in PATHS[:-1]:
            page.goto(site + path.format(**jobs))
            assert page.locator("h1").is_visible(), path
        page.goto(f"{site}/jobs")
        page.get_by_label("Which jobs").fill("queue:video")
        page.get_by_role("button", name="Find").click()
        assert "q=queue%3Avideo" in page.url
        assert page.locator("tbody tr").count() > 0
        page.get_by_label("Find a job by its id").fill(str(jobs["dead"]))
        page.get_by_label("Find a job by its id").press("Enter")
        assert page.url == f"{site}/jobs/{jobs['dead']}"


def test_a_menu_opens_on_a_phone_without_javascript(started: Any, site: str) -> None:
    with tab(started, site, width=400, java_script_enabled=False) as page:
        page.goto(site)
        link = page.get_by_role("link", name="Workers", exact=True)
        assert not link.is_visible()
        page.get_by_label("Menu").check()
        link.click()
        assert page.url == f"{site}/workers"


@pytest.mark.parametrize("width", [640, 800, 1000])
def test_twice_as_large_and_on_a_tablet_it_still_fits(width: int, started: Any, site: str, conn: Conn) -> None:
    jobs = open_shop(conn)
    with tab(started, site, width=width) as page:
        for path in PATHS[:-1]:
            page.goto(site + path.format(**jobs))
            assert overflow(page) == [], path
