"""Acting within another application, beside a standby, on a bad line: done once, or it is said that it may not be."""

from __future__ import annotations

import asyncio
import re
import threading
from io import BytesIO
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from starlette.requests import Request

from pgqueue.dashboard import Dashboard, forms
from pgqueue.dashboard.forms import BadForm
from pgqueue.job import JobState
from pgqueue.store import audit, execute
from tests.conftest import Connect
from tests.dashboard.asking import Answer
from tests.dashboard.conftest import NewApp
from tests.dashboard.posting import FORM, act, address, fields_of, form, post
from tests.dashboard.test_steering import is_paused
from tests.factories import enqueue, make
from tests.postgres import ROOT
from tests.waiting import wait_until

Conn = psycopg.Connection[Any]
PREFIX = "/ops/queue"


@pytest.fixture
def acting(new_app: NewApp) -> Dashboard:
    return new_app(actions=True)


def test_it_acts_within_another_application(acting: Dashboard, conn: Conn) -> None:
    from fastapi import FastAPI

    host = FastAPI()
    host.mount(PREFIX, acting)
    enqueue(conn, queue="mail")
    answer = act(host, PREFIX + address("queue", "pause", "mail"))
    assert (answer.header("location") or "").startswith(f"{PREFIX}/queue?name=mail&")
    assert is_paused(conn, "mail")


def test_it_acts_under_wsgi(acting: Dashboard, conn: Conn) -> None:
    from a2wsgi import ASGIMiddleware

    enqueue(conn, queue="mail")
    at = address("queue", "pause", "mail")
    body = urlencode(fields_of(form(acting, at))).encode()
    path, _, query = at.partition("?")
    begun: list[Any] = []
    environ = {
        "REQUEST_METHOD": "POST", "SCRIPT_NAME": PREFIX, "PATH_INFO": path, "QUERY_STRING": query,
        "CONTENT_TYPE": FORM[1], "CONTENT_LENGTH": str(len(body)), "HTTP_SEC_FETCH_SITE": "same-origin",
        "SERVER_NAME": "localhost", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "localhost",
        "REMOTE_ADDR": "127.0.0.1", "REMOTE_PORT": "9", "wsgi.input": BytesIO(body), "wsgi.url_scheme": "http",
        "wsgi.errors": BytesIO(),
    }  # fmt: skip
    b"".join(ASGIMiddleware(acting)(environ, lambda *told: begun.append(told)))
    assert begun[0][0].startswith("303")
    assert is_paused(conn, "mail")


def test_it_reads_from_a_standby_and_acts_on_the_primary(new_app: NewApp, conn: Conn, dsn: str) -> None:
    enqueue(conn, queue="mail")
    role = f"reads_{uuid4().hex[:8]}"
    conn.execute(f"create role {role} login; grant usage on schema pgqueue to {role}")
    conn.execute(f"grant select on all tables in schema pgqueue to {role}")
    try:
        app = new_app(actions=True, read_dsn=make_conninfo(dsn, user=role))
        assert act(app, address("queue", "pause", "mail")).status == 303
        assert is_paused(conn, "mail")
    finally:
        conn.execute(f"drop owned by {role}; drop role {role}")


def test_where_the_connection_breaks_during_an_act_nobody_says_that_it_was_done(
    acting: Dashboard, conn: Conn, connect: Connect
) -> None:
    dead = make(conn, JobState.DEAD)
    holding = connect()
    holding.execute("select * from pgqueue.dead_jobs where id = %s for update", [dead])
    at = address("job", "retry", dead)
    fields = fields_of(form(acting, at))
    answers: list[Answer] = []
    posting = threading.Thread(target=lambda: answers.append(post(acting, at, fields)))
    posting.start()
    ended = """
    select pg_terminate_backend(pid) from pg_stat_activity
    where application_name = 'pgqueue dashboard' and wait_event_type = 'Lock'
    """
    wait_until(lambda: conn.execute(ended).fetchone() is not None)
    posting.join(15)
    holding.rollback()
    assert answers[0].status == 500
    assert "look whether it was" in answers[0].text
    assert execute(conn, audit.newest(None, 1)) == []
    assert post(acting, at, fields).status == 303


def test_a_form_that_comes_slowly_or_not_whole_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "PATIENCE", 0.05)

    def status_of(*messages: Any) -> int:
        waiting = list(messages)

        async def receive() -> Any:
            if not waiting:
                await asyncio.Event().wait()
            return waiting.pop(0)

        headers = [(FORM[0].encode(), FORM[1].encode())]
        request = Request({"type": "http", "method": "POST", "headers": headers}, receive)
        with pytest.raises(BadForm) as told:
            asyncio.run(forms.sent(request))
        return told.value.status

    part = {"type": "http.request", "body": b"reason=", "more_body": True}
    assert status_of(part) == 408
    assert status_of(part, {"type": "http.disconnect"}) == 400
    assert status_of({**part, "body": b"x" * 40_000}, {**part, "body": b"x" * 40_000}) == 413


def test_every_form_that_is_posted_has_its_token() -> None:
    for path in (ROOT / "pgqueue" / "dashboard").rglob("*.html"):
        for element in re.findall(r'<form[^>]*method="post".*?</form>', path.read_text(), re.DOTALL):
            assert 'name="token" value="{{ token }}"' in element, path
