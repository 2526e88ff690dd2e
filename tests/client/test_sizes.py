"""A batch takes memory for a bounded part of it, however large it is, and is whole all the same."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

import pgqueue
from pgqueue.ids import new_job_id
from pgqueue.store.batches import PIECE_BYTES
from pgqueue.store.bulk import FEWEST
from tests.conftest import Connect
from tests.factories import TARGET, Conn, count

MEGABYTE = 1024 * 1024
LARGE = "x" * (MEGABYTE // 4)
# Four times what a piece may have, of one argument that all share.
MANY = 4 * PIECE_BYTES // len(LARGE)
assert MANY < FEWEST


def batch(number: int, **options: Any) -> list[pgqueue.NewJob]:
    return [pgqueue.NewJob(TARGET, [LARGE], max_args=MEGABYTE, **options) for _ in range(number)]


KINDS: dict[str, Callable[[], list[pgqueue.NewJob]]] = {
    "copy": lambda: batch(FEWEST),
    "delayed": lambda: batch(MANY, delay=60),
    "expiring": lambda: batch(FEWEST, ttl=60),
    "given ids": lambda: [pgqueue.NewJob(TARGET, [LARGE], max_args=MEGABYTE, job_id=new_job_id()) for _ in range(MANY)],
    "keys": lambda: [pgqueue.NewJob(TARGET, [LARGE], max_args=MEGABYTE, unique_key=str(uuid4())) for _ in range(MANY)],
}


def peak(act: Callable[[], Any]) -> int:
    """How much memory Python took at once while it acted."""
    tracemalloc.start()
    try:
        act()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", KINDS)
def test_a_large_batch_takes_memory_for_a_part_of_it(conn: Conn, kind: str) -> None:
    new = KINDS[kind]()
    made: list[UUID] = []
    # As text, as bytes, as an array, and once more within psycopg.
    assert peak(lambda: made.extend(pgqueue.enqueue_many(conn, new))) < 5 * PIECE_BYTES
    rows = conn.execute("select id from pgqueue.jobs where length(args ->> 0) = %s", [len(LARGE)]).fetchall()
    assert {each for (each,) in rows} == set(made)
    assert len(made) == len(new)


def mixed() -> list[pgqueue.NewJob]:
    """Jobs of every kind, in an order that no piece keeps, with a key that comes again at the end."""
    return [
        pgqueue.NewJob(TARGET, [LARGE, number], max_args=MEGABYTE, **options)
        for number in range(MANY)
        for options in [
            [{}, {"unique_key": f"{number % 7}"}, {"job_id": new_job_id()}, {"notify": "off"}, {"delay": 1}][number % 5]
        ]
    ]


def check(db: Conn, new: list[pgqueue.NewJob], ids: list[UUID]) -> None:
    first: dict[str, UUID] = {}
    for each, found in zip(new, ids, strict=True):
        if each.job_id is not None:
            assert found == each.job_id
        elif each.unique_key is not None:
            assert found == first.setdefault(each.unique_key, found)
        else:
            row = db.execute("select (args ->> 1)::int from pgqueue.jobs where id = %s", [found]).fetchone()
            assert row == (new.index(each),)
    assert count(db, "jobs") == len(set(ids))


def test_ids_come_back_in_order_from_several_pieces(db: Conn, connect: Connect) -> None:
    conn, new = connect(), mixed()
    ids = pgqueue.enqueue_many(conn, new)
    assert count(db, "jobs") == 0
    conn.commit()
    check(db, new, ids)


def test_several_pieces_are_one_transaction_in_autocommit_mode(db: Conn) -> None:
    with pytest.raises(pgqueue.ArgumentError):
        pgqueue.enqueue_many(db, [*batch(MANY, delay=60), pgqueue.NewJob(TARGET, [object()], delay=60)])
    assert count(db, "jobs") == 0
    check(db, new := mixed(), pgqueue.enqueue_many(db, new))
    assert db.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


@pytest.mark.parametrize("begun", [True, False])
def test_a_fault_in_a_later_piece_leaves_the_transaction_as_it_was(conn: Conn, begun: bool) -> None:
    if begun:
        conn.execute("create table mine (value int)")
    with pytest.raises(pgqueue.ArgumentError, match="object is not JSON serialisable"):
        pgqueue.enqueue_many(conn, [*batch(MANY, delay=60), pgqueue.NewJob(TARGET, [object()], delay=60)])
    assert count(conn, "jobs") == 0
    if begun:
        conn.execute("insert into mine values (1)")


def test_an_async_connection_sends_pieces_too(dsn: str, db: Conn) -> None:
    new = mixed()

    async def main() -> list[UUID]:
        async with await psycopg.AsyncConnection.connect(dsn) as own:
            return await pgqueue.enqueue_many(own, new)

    check(db, new, asyncio.run(main()))


def test_two_batches_of_the_same_keys_in_opposite_order_do_not_deadlock(connect: Connect, db: Conn) -> None:
    keys = ("z", "Ä", "a", "B", *map(str, range(MANY)))
    new = [pgqueue.NewJob(TARGET, [LARGE], max_args=MEGABYTE, unique_key=key) for key in keys]

    async def main() -> list[list[UUID]]:
        async def enqueue(order: list[pgqueue.NewJob]) -> list[UUID]:
            async with await psycopg.AsyncConnection.connect(db.info.dsn) as own:
                return await pgqueue.enqueue_many(own, order)

        return await asyncio.gather(enqueue(new), enqueue(new[::-1]))

    forth, back = asyncio.run(main())
    assert forth == back[::-1]
    assert count(db, "jobs") == len(new)
