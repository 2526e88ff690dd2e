"""once() in applications: on every kind of connection, in the transaction that is open there."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

import pgqueue
from pgqueue.store.connection import is_async
from tests.client.connections import KINDS, Kind, Opened, run
from tests.client.test_greenlets import in_run_sync
from tests.factories import Conn

# Of one the transaction is begun by hand, and ends with the first rollback.
BEGINNING = {name: kind for name, kind in KINDS.items() if name != "begun in autocommit"}


async def do_once(conn: Any, key: str, value: object = None, error: type[Exception] | None = None) -> pgqueue.First:
    """What the block was told; the block keeps a value, or raises."""

    def act(first: pgqueue.First) -> None:
        if first and value is not None:
            first.value = value
        if error is not None:
            raise error

    if is_async(conn):
        async with pgqueue.once(conn, key) as first:
            act(first)
    else:
        with pgqueue.once(conn, key) as first:
            act(first)
    return first


@pytest.mark.parametrize("kind", BEGINNING.values(), ids=BEGINNING)
def test_a_key_is_done_if_and_only_if_the_transaction_commits(kind: Kind, dsn: str, db: Conn) -> None:
    async def act(opened: Opened) -> list[Any]:
        before = opened.settings()
        assert await do_once(opened.conn, "undone")
        await opened.rollback()
        assert await do_once(opened.conn, "done", {"n": 1.5})
        with suppress(ZeroDivisionError):
            await do_once(opened.conn, "left", error=ZeroDivisionError)
        assert pgqueue.get_effect(db, "done") is None
        await opened.commit()
        again = await do_once(opened.conn, "done")
        assert opened.settings()[2:] == before[2:]
        return [bool(again), again.value, again.job_id]

    assert run(kind, dsn, act) == [False, {"n": 1.5}, None]
    assert [pgqueue.get_effect(db, key) is not None for key in ("done", "undone", "left")] == [True, False, False]


@pytest.mark.parametrize("of_connection", [False, True])
def test_a_key_is_done_in_run_sync(dsn: str, db: Conn, of_connection: bool) -> None:
    def act(conn: Any) -> list[bool]:
        with pgqueue.once(conn, "k") as first, pgqueue.once(conn, "k") as second:
            return [bool(first), bool(second)]

    assert in_run_sync(dsn, act, of_connection=of_connection) == [True, False]
    assert pgqueue.get_effect(db, "k") is not None


@pytest.mark.parametrize(
    ("call", "fault"),
    [
        (lambda conn: pgqueue.once(conn, ""), "key must be a text of 1 to 500 characters"),
        (
            lambda conn: pgqueue.once(conn, "\N{GRINNING FACE}" * 400, scope="\N{GRINNING FACE}" * 400),
            "2,500 bytes at most together",
        ),
        (lambda conn: pgqueue.once(conn, "k", keep=0), "keep must be more than 0"),
        (lambda conn: pgqueue.once(conn, "k", on_unknown="bury"), "on_unknown must be"),
        (lambda conn: pgqueue.effect_done(conn, "k", value=object()), "value: "),
    ],
)
def test_what_nobody_can_mean_is_refused_before_it_is_asked(
    conn: Conn, call: Callable[[Conn], object], fault: str
) -> None:
    with pytest.raises(pgqueue.UsageError, match=fault):
        call(conn)
