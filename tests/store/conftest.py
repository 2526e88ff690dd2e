"""`db`: a connection on which each statement commits, as the worker's own do. `plans`: what a statement did inside."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from tests.conftest import Connect
from tests.factories import Conn, enlist, step

Plan = dict[str, Any]


@pytest.fixture
def db(connect: Connect) -> psycopg.Connection[Any]:
    return connect(autocommit=True)


@pytest.fixture
def plans() -> Callable[[Conn, Callable[[], Any]], list[Plan]]:
    """Run something, and answer the plans of all statements inside of it."""

    def plans(conn: Conn, act: Callable[[], Any]) -> list[Plan]:
        _warm_up(conn)
        heard: list[str] = []
        conn.add_notice_handler(lambda notice: heard.append(notice.message_primary or ""))
        conn.execute(
            "load 'auto_explain'; set auto_explain.log_min_duration = 0; set auto_explain.log_analyze = on;"
            "set auto_explain.log_buffers = on; set auto_explain.log_timing = off; set auto_explain.log_format = json;"
            "set auto_explain.log_nested_statements = on; set client_min_messages = log"
        )
        heard.clear()
        act()
        conn.execute("set auto_explain.log_min_duration = -1; set client_min_messages = notice")
        return [json.loads(text[text.index("{") :])["Plan"] for text in heard if "plan:" in text]

    return plans


def _warm_up(conn: Conn) -> None:
    """Let the session read the catalogs, so that only the statement itself is counted."""
    worker = enlist(conn)
    step(conn, worker, [], 1, "nothing here")
