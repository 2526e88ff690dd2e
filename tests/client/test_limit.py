"""limit(): shares of limits for code outside jobs."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
import sqlalchemy
from sqlalchemy.ext.asyncio import create_async_engine

import pgqueue
from tests.conftest import Connect
from tests.factories import TARGET, Conn, enlist, step
from tests.limits import take_keyed
from tests.postgres import ROOT
from tests.waiting import wait_until


@pytest.fixture
def db(connect: Connect) -> Conn:
    return connect(autocommit=True)


def shares(conn: Conn, key: str = "stripe") -> int:
    row = conn.execute(
        "select count(*) from pgqueue.holds where name = 'k:' || %s and (expires_at is null or expires_at > now())",
        [key],
    ).fetchone()
    assert row is not None
    return int(row[0])


def is_free(conn: Any, key: str = "stripe") -> bool:
    try:
        with pgqueue.limit(conn, key, wait=0):
            return True
    except pgqueue.LimitReached:
        return False


def test_no_more_hold_a_limit_than_it_allows(db: Conn, connect: Connect) -> None:
    pgqueue.set_limit(db, "key", "stripe", concurrency=2)
    first, second, third = connect(), connect(autocommit=True), connect()
    with pgqueue.limit(first, "stripe"), pgqueue.limit(second, "stripe"):
        assert shares(db) == 2
        with pytest.raises(pgqueue.LimitReached, match="the limit 'stripe' had no share free within 0 s"):
            pgqueue.limit(third, "stripe", wait=0).__enter__()
        assert is_free(third, "other")
    assert is_free(third)
    assert shares(db) == 0
    assert (first.autocommit, second.autocommit) == (False, True)


def test_a_limit_that_is_waited_for_comes_when_a_share_is_free(db: Conn, connect: Connect) -> None:
    pgqueue.set_limit(db, "key", "stripe", concurrency=1)

    def work(conn: Conn) -> int:
        with pgqueue.limit(conn, "stripe", wait=60):
            return shares(db)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(work, [connect() for _ in range(4)])) == [1] * 4


def test_many_who_ask_at_once_never_exceed_it(db: Conn, connect: Connect) -> None:
    pgqueue.set_limit(db, "key", "stripe", concurrency=3)
    inside: list[int] = []
    most: list[int] = []

    def work(conn: Conn) -> None:
        for _ in range(10):
            with pgqueue.limit(conn, "stripe", wait=60):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, [connect() for _ in range(8)]))
    assert len(most) == 80
    assert max(most) <= 3


def test_jobs_and_other_code_share_a_limit(db: Conn, conn: Conn) -> None:
    pgqueue.set_limit(db, "key", "stripe", concurrency=1)
    pgqueue.enqueue(db, TARGET, limit_key="stripe")
    worker = enlist(db)
    with pgqueue.limit(conn, "stripe"):
        assert take_keyed(db, worker) == []
    (held,) = take_keyed(db, worker)
    assert not is_free(conn)
    step(db, worker, [held], 0)
    assert is_free(conn)


def test_a_rate_counts_what_starts_inside_and_outside_of_jobs(db: Conn, conn: Conn) -> None:
    pgqueue.set_limit(db, "key", "stripe", rate="3/h")
    assert is_free(conn)
    with pgqueue.limit(conn, "stripe", cost=2, wait=0):
        assert shares(db) == 0
    assert not is_free(conn)
    pgqueue.enqueue(db, TARGET, limit_key="stripe")
    assert take_keyed(db, enlist(db)) == []


def test_a_rate_is_waited_for(db: Conn, conn: Conn) -> None:
    pgqueue.set_limit(db, "key", "stripe", rate="1/s")
    starts = []
    for _ in range(2):
        with pgqueue.limit(conn, "stripe", wait=60):
            row = db.execute("select clock_timestamp()").fetchone()
            assert row is not None
            starts.append(row[0])
    assert (starts[1] - starts[0]).total_seconds() > 0.9


def test_a_key_without_a_limit_is_free(db: Conn, conn: Conn) -> None:
    with pgqueue.limit(conn, "stripe", wait=0):
        assert shares(db) == 0
    pgqueue.set_limit(db, "key", "*", concurrency=1)
    pgqueue.set_limit(db, "key", "stripe")
    with pgqueue.limit(conn, "stripe", wait=0), pgqueue.limit(db, "stripe", wait=0):
        pass


HOLDER = """
import sys, time, psycopg, pgqueue
conn = psycopg.connect(sys.argv[1], autocommit=True)
with pgqueue.limit(conn, "stripe", timeout=2):
    print("held", flush=True)
    time.sleep(600)
"""


def test_the_share_of_a_process_that_was_killed_comes_back_with_its_lease(db: Conn, conn: Conn, dsn: str) -> None:
    pgqueue.set_limit(db, "key", "stripe", concurrency=1)
    with subprocess.Popen([sys.executable, "-c", HOLDER, dsn], stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        os.kill(process.pid, signal.SIGKILL)
    assert not is_free(conn)
    with pgqueue.limit(conn, "stripe", wait=60):
        row = db.execute("select count(*) from pgqueue.holds").fetchone()
    assert row == (1,)


def test_a_block_that_outlives_its_timeout_says_so_at_its_end(db: Conn, conn: Conn) -> None:
    pgqueue.set_limit(db, "key", "stripe", concurrency=1)
    holding = pgqueue.limit(db, "stripe", timeout=0.01)
    with pytest.raises(pgqueue.LeaseLost, match=r"took longer than its timeout of 0\.01 s"), holding:
        wait_until(lambda: is_free(conn))


def test_an_error_of_the_block_stands_before_that_of_its_lease(db: Conn, conn: Conn) -> None:
    pgqueue.set_limit(db, "key", "stripe", concurrency=1)

    def late() -> None:
        with pgqueue.limit(db, "stripe", timeout=0.01):
            wait_until(lambda: is_free(conn))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        late()


def test_a_transaction_that_is_open_hides_the_share_and_is_refused(db: Conn, conn: Conn) -> None:
    conn.execute("select 1")
    with pytest.raises(pgqueue.UsageError, match="commit before the block"):
        pgqueue.limit(conn, "stripe").__enter__()


def test_what_the_block_leaves_open_gives_the_share_back_with_its_commit(db: Conn, conn: Conn) -> None:
    pgqueue.set_limit(db, "key", "stripe", concurrency=1)
    with pgqueue.limit(conn, "stripe"):
        conn.execute("select 1")
    assert not is_free(db)
    conn.commit()
    assert is_free(db)


def test_a_block_that_breaks_its_transaction_leaves_the_share_to_its_lease(db: Conn, conn: Conn) -> None:
    pgqueue.set_limit(db, "key", "stripe", concurrency=1)
    with pytest.raises(psycopg.errors.DivisionByZero), pgqueue.limit(conn, "stripe", timeout=1):
        conn.execute("select 1 / 0")
    conn.rollback()
    wait_until(lambda: is_free(db))


def test_asynchronous_code_holds_limits_too(db: Conn, dsn: str) -> None:
    pgqueue.set_limit(db, "key", "stripe", concurrency=1)

    async def main() -> None:
        first, second = [await psycopg.AsyncConnection.connect(dsn) for _ in range(2)]
        async with first, second:
            async with pgqueue.limit(first, "stripe"):
                with pytest.raises(pgqueue.LimitReached):
                    await pgqueue.limit(second, "stripe", wait=0.01).__aenter__()
            async with pgqueue.limit(second, "stripe", wait=60):
                assert shares(db) == 1
            with pytest.raises(pgqueue.UsageError, match="write `async with"):
                pgqueue.limit(first, "stripe").__enter__()

    asyncio.run(main())
    assert shares(db) == 0

    async def wrong() -> None:
        with pytest.raises(pgqueue.UsageError, match="write `with"):
            await pgqueue.limit(db, "stripe").__aenter__()

    asyncio.run(wrong())


def test_connections_of_sqlalchemy_hold_limits_too(db: Conn, dsn: str) -> None:
    pgqueue.set_limit(db, "key", "stripe", concurrency=1)
    address = f"postgresql+psycopg://?{'&'.join(dsn.split())}"
    engine = sqlalchemy.create_engine(address)
    with engine.connect() as conn, pgqueue.limit(conn, "stripe"):
        assert shares(db) == 1
    engine.dispose()

    async def main() -> None:
        engine = create_async_engine(address)
        async with engine.connect() as conn, pgqueue.limit(conn, "stripe"):
            assert shares(db) == 1
        await engine.dispose()

    asyncio.run(main())
    assert shares(db) == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"key": None}, "needs a limit key"),
        ({"key": ""}, "key must be a text of 1 to 500"),
        ({"wait": -1}, "wait must be 0 or more"),
        ({"timeout": 0}, "timeout must be more than 0"),
        ({"cost": 0}, "cost must be a whole number from 1"),
    ],
)
def test_what_makes_no_sense_is_refused(db: Conn, options: Any, said: str) -> None:
    with pytest.raises(pgqueue.UsageError, match=said):
        pgqueue.limit(db, **{"key": "stripe", **options})
