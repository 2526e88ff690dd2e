"""Pages that keep themselves fresh, and disturb nobody who reads, types, or looks elsewhere."""

from __future__ import annotations

from typing import Any

import psycopg

from tests.browser.browsing import overflow, tab, violations
from tests.browser.shop import open_shop
from tests.factories import enqueue

Conn = psycopg.Connection[Any]


def test_a_job_appears_on_its_page_by_itself_and_nothing_else_moves(started: Any, site: str, conn: Conn) -> None:
    open_shop(conn)
    with tab(started, site) as page:
        page.goto(f"{site}/jobs?limit=25")
        page.locator("#live-said", has_text="live").wait_for()
        page.get_by_label("Which jobs").fill("half a wo")
        job = enqueue(conn, queue="mail")
        page.locator(f'a[title="{job}"]').wait_for(timeout=10_000)
        assert page.get_by_label("Which jobs").input_value() == "half a wo"
        assert page.evaluate("document.activeElement.id") == "query"
        assert violations(page) == []


def test_the_menu_keys_rows_themes_and_the_pause_need_no_mouse(started: Any, site: str, conn: Conn) -> None:
    jobs = open_shop(conn)
    with tab(started, site) as page:
        page.goto(site)
        page.keyboard.press("g")
        page.keyboard.press("d")
        page.wait_for_url(f"{site}/dead")
        page.keyboard.press("j")
        page.keyboard.press("j")
        page.keyboard.press("k")
        page.keyboard.press("Enter")
        page.wait_for_url(f"{site}/jobs/*")
        page.keyboard.press("t")
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"
        page.keyboard.press("r")
        page.locator("#live-said", has_text="paused").wait_for()
        page.keyboard.press("?")
        assert page.get_by_role("heading", name="Keys").is_visible()
        page.keyboard.press("Escape")
        page.keyboard.press("/")
        page.keyboard.type(str(jobs["dead"])[:18])
        page.keyboard.press("Enter")
        page.wait_for_url(f"{site}/jobs/{jobs['dead']}")
        page.reload()
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"
        page.go_back()
        assert overflow(page) == []


def test_what_is_open_marked_or_in_focus_stays_so_while_the_page_changes(started: Any, site: str, conn: Conn) -> None:
    jobs = open_shop(conn)
    dead = jobs["dead"]
    with tab(started, site) as page:
        page.goto(f"{site}/jobs/{dead}")
        page.get_by_label("Refresh every").select_option("1")
        page.locator("#live-said", has_text="live").wait_for()
        page.locator(".library summary").first.click()
        assert page.locator(".library[open]").count() == 1
        page.locator(".attempts > li > details > summary").first.focus()
        for number in range(3):
            conn.execute("update pgqueue.dead_jobs set reason = %s where id = %s", [f"round {number}", dead])
            conn.execute("update pgqueue.attempts set error = %s where job_id = %s", [f"round {number}", dead])
            page.get_by_text(f"Dead: round {number}").wait_for(timeout=10_000)
            page.locator(".attempts", has_text=f"round {number}").wait_for(timeout=10_000)
            assert page.locator(".library[open]").count() == 1
            assert page.evaluate("document.activeElement.tagName") == "SUMMARY"


def test_lines_of_charts_have_the_colours_of_their_states(started: Any, site: str, conn: Conn) -> None:
    open_shop(conn)
    for scheme in ("light", "dark"):
        with tab(started, site, scheme=scheme) as page:
            page.goto(f"{site}/queue?name=mail")
            page.locator(".plot.drawn canvas").first.wait_for()
            coloured = page.evaluate(
                """() => { const canvas = document.querySelector(".plot.drawn canvas"); let found = 0;
                  const all = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
                  for (let at = 0; at < all.length; at += 4)
                    found += all[at + 3] > 200 && Math.max(all[at], all[at + 1], all[at + 2])
                      - Math.min(all[at], all[at + 1], all[at + 2]) > 60;
                  return found; }"""
            )
            assert coloured > 200


def test_a_page_of_a_server_without_streams_asks_by_itself(started: Any, dsn: str, conn: Conn) -> None:
    from pgqueue.dashboard import create_app
    from tests.dashboard.serving import close, served

    dashboard = create_app(dsn)

    async def as_wsgi(scope: Any, receive: Any, send: Any) -> None:
        await dashboard({**scope, "wsgi_environ": {}} if scope["type"] == "http" else scope, receive, send)

    with served(as_wsgi) as address, tab(started, address) as page:
        page.goto(f"{address}/jobs")
        job = enqueue(conn)
        page.locator(f'a[title="{job}"]').wait_for(timeout=15_000)
    close(dashboard)


def test_under_a_prefix_nothing_is_asked_for_beside_it(started: Any, dsn: str, conn: Conn) -> None:
    from starlette.applications import Starlette
    from starlette.routing import Mount

    from pgqueue.dashboard import create_app
    from tests.dashboard.serving import close, served

    open_shop(conn)
    dashboard = create_app(dsn)
    mounted = Starlette(routes=[Mount("/ops/queue", dashboard)])
    with served(mounted) as address, tab(started, f"{address}/ops/queue") as page:
        page.goto(f"{address}/ops/queue/")
        page.locator("#live-said", has_text="live").wait_for()
        page.get_by_role("link", name="Dead", exact=True).click()
        page.wait_for_url(f"{address}/ops/queue/dead")
    close(dashboard)
