"""It stands under any prefix, in whatever serves it, and its addresses lead nowhere else."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import psycopg
import pytest

from pgqueue.dashboard import Dashboard
from tests.dashboard.asking import ask
from tests.dashboard.filled import ADDRESSES, fill

Conn = psycopg.Connection[Any]
PREFIX = "/ops/queue"


def addresses_of(text: str) -> set[str]:
    return set(re.findall(r'(?:href|src|action)="([^"#][^"]*)"', text))


@pytest.mark.parametrize("strips", [True, False])
def test_behind_a_proxy_that_strips_its_prefix_or_not_every_address_has_it(
    app: Dashboard, conn: Conn, *, strips: bool
) -> None:
    found = fill(conn)
    for shape in ADDRESSES:
        path = found.address(shape) if strips else f"{PREFIX}{found.address(shape)}"
        answer = ask(app, path, root_path=PREFIX)
        assert answer.status == 200, answer.text
        assert [each for each in addresses_of(answer.text) if not each.startswith(f"{PREFIX}/")] == []
    assert ask(app, f"{'' if strips else PREFIX}/jobs?q=mail", root_path=PREFIX).header("location") == (
        f"{PREFIX}/jobs?q=queue%3Amail"
    )


def test_without_a_slash_the_prefix_leads_to_the_overview(app: Dashboard) -> None:
    assert ask(app, PREFIX, root_path=PREFIX).header("location") == f"{PREFIX}/"


def test_what_stands_beside_the_prefix_is_not_taken_for_it(app: Dashboard) -> None:
    assert ask(app, f"{PREFIX}s/jobs", root_path=PREFIX).status == 404
    assert ask(app, f"{PREFIX}/../jobs", root_path=PREFIX).status == 404


def test_it_mounts_in_starlette_and_fastapi(app: Dashboard, conn: Conn) -> None:
    from fastapi import FastAPI
    from starlette.applications import Starlette
    from starlette.routing import Mount

    found = fill(conn)
    fastapi = FastAPI()
    fastapi.mount(PREFIX, app)
    for host in (Starlette(routes=[Mount(PREFIX, app)]), fastapi):
        for shape in ADDRESSES:
            answer = ask(host, f"{PREFIX}{found.address(shape)}")
            assert answer.status == 200, answer.text
            assert [each for each in addresses_of(answer.text) if not each.startswith(f"{PREFIX}/")] == []
        assert ask(host, f"{PREFIX}/nowhere").status == 404
        assert ask(host, "/jobs").status == 404


def test_it_speaks_of_its_life_span(app: Dashboard) -> None:
    sent: list[str] = []

    async def live() -> None:
        waiting = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]

        async def receive() -> Any:
            return waiting.pop(0)

        async def send(message: Any) -> None:
            sent.append(message["type"])

        await app({"type": "lifespan"}, receive, send)

    asyncio.run(live())
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_it_serves_wsgi_by_a2wsgi_and_polls_there(app: Dashboard) -> None:
    from io import BytesIO

    from a2wsgi import ASGIMiddleware

    begun: list[Any] = []
    environ = {
        "REQUEST_METHOD": "GET", "SCRIPT_NAME": PREFIX, "PATH_INFO": "/queues", "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "localhost", "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_PORT": "9", "wsgi.input": BytesIO(), "wsgi.url_scheme": "http", "wsgi.errors": BytesIO(),
    }  # fmt: skip
    body = b"".join(ASGIMiddleware(app)(environ, lambda *told: begun.append(told))).decode()
    assert begun[0][0].startswith("200")
    assert f'href="{PREFIX}/jobs"' in body
