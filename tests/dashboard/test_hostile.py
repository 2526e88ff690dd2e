"""Whatever a job, a worker or a person wrote is text on a page, and nothing else."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import psycopg
import pytest

from pgqueue.dashboard import Dashboard
from tests.dashboard.asking import ask
from tests.dashboard.conftest import NewApp
from tests.dashboard.filled import ADDRESSES, FORMS, fill

Conn = psycopg.Connection[Any]
PAYLOADS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "</pre></code><b>x</b>",
    "<!-- <b>",
    "--><script>alert(1)</script>",
    "<![CDATA[<script>alert(1)</script>]]>",
    '" onmouseover="alert(1)" x="',
    "' onmouseover='alert(1)' x='",
    '"><script>alert(1)</script>',
    "'><script>alert(1)</script>",
    "` onload=alert(1) `",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "//evil.example/x",
    "https://evil.example/\\@good.example",
    "../../../etc/passwd",
    "..%2f..%2f",
    "{{7123*7127}}",
    "{% include 'x' %}",
    "${7123*7127}",
    "<%= 7123*7127 %>",
    "#{7123*7127}",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;",
    "\u202egnp.exe",
    "\u2066x\u2069",
    "a\u200bb\u200d\ufeff",
    "\x1b[31mred\x1b]0;title\x07",
    "\x08\x0c\x7f\x9b31m",
    "line\r\nSet-Cookie: a=b",
    "\u2028\u2029\x85",
    "hx-get=/x hx-trigger=load",
    '<div hx-get="/jobs" hx-trigger="load"></div>',
    "x" * 480,
    "ﷺ" * 200,
    "Z̷̢͓͖a" * 50,
    "𝕏👩‍👩‍👧‍👦",
    "a b?c=d&e=f#g+%00%zz",
    "=cmd|'/c calc'!A1",
]
HARMLESS = "mail"


@pytest.fixture
def app(new_app: NewApp) -> Dashboard:
    return new_app(actions=True)


class Structure(HTMLParser):
    """The elements of a page with the names of their attributes, its links, and what it says."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: set[str] = set()
        self.addresses: list[str] = []
        self.said: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements |= {tag, *(f"{tag} {name}" for name, _ in attrs)}
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src", "action")]

    def handle_data(self, data: str) -> None:
        self.said.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")


@pytest.mark.faults
def test_a_page_has_the_same_elements_whatever_stands_in_the_database(app: Dashboard, conn: Conn) -> None:
    allowed: set[str] = set()
    found = fill(conn, HARMLESS)
    for shape in (*ADDRESSES, *FORMS):
        allowed |= Structure(ask(app, found.address(shape)).text).elements
    for payload in PAYLOADS:
        empty(conn)
        found = fill(conn, payload)
        for shape in (*ADDRESSES, *FORMS):
            answer = ask(app, found.address(shape))
            assert answer.status == 200, (shape, payload, answer.text)
            page = Structure(answer.text)
            assert page.elements <= allowed, (shape, payload, page.elements - allowed)
            assert [each for each in page.addresses if not each.startswith("/")] == ["#main"], (shape, payload)
            assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u200b\u202e\u2066\ufeff]", answer.text), (
                payload
            )
            assert "50765621" not in "".join(page.said) or "7123*7127" not in payload


def test_what_is_hostile_is_shown_and_not_hidden(app: Dashboard, conn: Conn) -> None:
    found = fill(conn, PAYLOADS[0])
    for shape in ("/queues", "/jobs", "/workers", "/schedules", "/feeds", f"/jobs/{found.dead}"):
        assert PAYLOADS[0] in "".join(Structure(ask(app, shape).text).said), shape


@pytest.mark.parametrize("payload", PAYLOADS)
def test_addresses_that_are_hostile_change_nothing(app: Dashboard, payload: str) -> None:
    from urllib.parse import quote

    for shape in (
        "/jobs?q={}",
        "/jobs?queue={}",
        "/jobs?target={}",
        "/jobs?q=queue:{}",
        "/jobs?q=error:%22{}%22",
        "/operations/{}",
        "/queue?name={}",
        "/queues?after={}",
        "/jobs/{}",
        "/{}",
    ):
        answer = ask(app, shape.format(quote(payload, safe="")))
        assert answer.status in (200, 303, 404), (shape, answer.text)
        page = Structure(answer.text)
        assert (
            not {"script onload", "img onerror", "svg onload", "div hx-get", "a onmouseover", "input onmouseover"}
            & page.elements
        )
        assert all("\n" not in value and "\r" not in value for _, value in answer.headers)
        where = answer.header("location")
        assert where is None or re.match(r"/(jobs)?[?/]", where), where


def test_a_text_of_a_megabyte_is_cut(app: Dashboard, conn: Conn) -> None:
    found = fill(conn)
    conn.execute("update pgqueue.attempts set error = repeat('y', 1000000), traceback = repeat('z', 1000000)")
    conn.execute("update pgqueue.dead_jobs set error = repeat('y', 1000000)")
    for address in (f"/jobs/{found.dead}", "/dead", "/"):
        assert len(ask(app, address).text) < 600_000, address


def empty(conn: Conn) -> None:
    tables = "causes, tallies, depths, worker_reports, operations, audit"
    tables += ", jobs, dead_jobs, attempts, results, workers, queues, schedules, ticks, limits, holds, routes, feeds"
    tables += ", workflows, nodes, gates, waiting, arrivals, alerts"
    names = ", ".join(f"pgqueue.{name}" for name in tables.split(", "))
    conn.execute(f"truncate {names}")
