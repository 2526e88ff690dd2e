"""What is done once: entered in every way, confirmed, left, decided by hand, and looked at."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

import psycopg

import pgqueue
from pgqueue.store import effects, execute
from pgqueue.store.effects import Holder
from tests import factories

Conn = psycopg.Connection[Any]
KEEP = timedelta(days=1)


def done_once_on(conn: Conn) -> None:
    """What programs and transactional tasks ask, on a connection of their own."""
    pgqueue.forget_effect(conn, "done")
    for _ in range(2):
        with conn.transaction(), pgqueue.once(conn, "done") as first:
            if first:
                first.value = 1
    with conn.transaction(), suppress(ZeroDivisionError), pgqueue.once(conn, "left"):
        raise ZeroDivisionError
    assert pgqueue.get_effect(conn, "left") is None
    assert pgqueue.effect_done(conn, "done")
    conn.execute("select * from pgqueue.once('done')")
    conn.execute("select * from pgqueue.effect").fetchall()


def reserved_on(conn: Conn) -> None:
    """What attempts ask on their line, and the command line."""
    taken = factories.claim_one(conn, queue="once")
    holder = Holder(taken.id, taken.worker, taken.claim, taken.attempt, taken.target)
    for key, unknown in (("free", False), ("unknown", True)):
        assert execute(conn, effects.enter("s", key, "reserved", KEEP, 0.1, False, holder)).standing == "first"
        assert execute(conn, effects.leave("s", key, unknown, holder))
    assert execute(conn, effects.enter("s", "unknown", "done", KEEP, 0.1, True, Holder())).standing == "unknown"
    assert execute(conn, effects.enter("s", "a", "reserved", KEEP, 0.1, False, holder)).standing == "first"
    assert execute(conn, effects.confirm("s", "a", KEEP, "1", holder))
    execute(conn, effects.keep_value("s", "a", "2"))
    for undecided in (True, False):
        execute(conn, effects.listed("s", "a", undecided, 10, ("s", "")))
        execute(conn, effects.listed(None, "", undecided, 10))
    for key in ("a", "unknown"):
        assert pgqueue.forget_effect(conn, key, scope="s")
    factories.settle(conn, taken)
