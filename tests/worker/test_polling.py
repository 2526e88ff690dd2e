"""A worker that does not listen, and one that is told where to."""

from __future__ import annotations

import pytest
from psycopg.conninfo import make_conninfo

from pgqueue.errors import OptionError
from pgqueue.events import Trouble
from pgqueue.store.connection import open_connection
from pgqueue.worker import Worker
from tests.worker.running import NEVER, Desk, StartThreaded


def test_a_worker_told_to_poll_finds_jobs_without_listening(start: StartThreaded, desk: Desk) -> None:
    worker = start(executor="thread", poll=NEVER, poll_only=True)
    desk.await_state(desk.send("work"), timeout=5)
    assert desk.backends("listener") == []
    assert worker.heard(Trouble) == []


def test_a_worker_that_only_polls_has_no_use_for_a_dsn_to_listen_at() -> None:
    with pytest.raises(OptionError, match="poll_only listens to nothing"):
        Worker("", poll_only=True, listen_dsn="host=elsewhere")


def test_of_several_hosts_the_one_that_can_be_written_to_is_wanted(dsn: str) -> None:
    with open_connection(make_conninfo(dsn, host="127.0.0.1,127.0.0.1"), "test") as conn:
        given = conn.info.get_parameters()
    assert given["target_session_attrs"] == "read-write"
    assert given["connect_timeout"] == "3"


def test_what_a_dsn_of_several_hosts_says_is_done(dsn: str) -> None:
    several = make_conninfo(dsn, host="127.0.0.1,127.0.0.1", target_session_attrs="any", connect_timeout=5)
    with open_connection(several, "test") as conn:
        assert conn.info.get_parameters()["connect_timeout"] == "5"
        assert conn.info.get_parameters().get("target_session_attrs", "any") == "any"


def test_a_direct_connection_is_not_taken_for_a_pooled_one(dsn: str) -> None:
    with open_connection(dsn, "test") as conn:
        assert not conn.pooled
        assert conn.execute("show default_transaction_isolation").fetchone() == ("read committed",)
