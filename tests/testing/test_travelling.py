"""time_travel(): within the block it is later for what waits."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import psycopg
import pytest

import pgqueue
from pgqueue.errors import OptionError, UsageError
from pgqueue.testing import drain, enqueued, time_travel
from tests.conftest import Connect
from tests.testing import tasks

Conn = psycopg.Connection[Any]


def test_delays_pass_and_what_was_not_tried_goes_back(conn: Conn) -> None:
    near = tasks.send.using(delay=3600).enqueue(conn, 1)
    far = tasks.send.using(delay=7200).enqueue(conn, 2)
    before = pgqueue.get_job(conn, far.id).run_at
    with time_travel(conn, hours=1, seconds=1):
        assert [each.id for each in drain(conn)] == [near.id]
        assert enqueued(conn)[0].due_in < 3601
    assert pgqueue.get_job(conn, far.id).run_at == before


def test_backoff_passes_one_retry_a_block(conn: Conn) -> None:
    tasks.fail.enqueue(conn)
    drain(conn, raises=False)
    attempts = []
    for _ in range(2):
        with time_travel(conn, 60):
            attempts += [each.attempt for each in drain(conn, raises=False)]
    assert attempts == [2, 3]
    assert drain(conn) == []


def test_ttl_passes_before_the_job_starts(conn: Conn) -> None:
    tasks.send.using(ttl=60).enqueue(conn, 1)
    with time_travel(conn, timedelta(minutes=2)):
        (ran,) = drain(conn, raises=False)
    assert (ran.outcome, ran.reason) == ("expired", "expired")


def test_schedules_fire_for_each_tick_on_the_way(conn: Conn) -> None:
    pgqueue.schedule(conn, "hourly", tasks.send, args=[1], cron="0 * * * *")
    pgqueue.schedule(conn, "often", tasks.send, args=[2], every=1800)
    pgqueue.schedule(conn, "paused", tasks.send, args=[3], every=60)
    pgqueue.pause_schedule(conn, "paused")
    drain(conn)
    with time_travel(conn, hours=3):
        values = sorted(each.value for each in drain(conn))
        assert values == ["sent 1"] * 3 + ["sent 2"] * 6
        with time_travel(conn, hours=1):
            assert sorted(each.value for each in drain(conn)) == ["sent 1", "sent 2", "sent 2"]
    assert drain(conn) == []


def test_unique_windows_pass(conn: Conn) -> None:
    tasks.send.using(unique_key="k", unique_for=3600).enqueue(conn, 1)
    drain(conn)
    assert not tasks.send.using(unique_key="k", unique_for=3600).enqueue(conn, 1).created
    with time_travel(conn, hours=2):
        assert tasks.send.using(unique_key="k", unique_for=3600).enqueue(conn, 1).created


def test_it_works_at_a_dsn_and_on_async_connections(dsn: str, connect: Connect) -> None:
    own = connect(autocommit=True)
    tasks.send.using(delay=3600).enqueue(own, 1)
    with time_travel(dsn, hours=2):
        assert len(drain(dsn)) == 1

    async def main() -> None:
        async with await psycopg.AsyncConnection.connect(dsn) as aconn:
            await tasks.send.using(delay=3600).enqueue(aconn, 1)
            async with time_travel(aconn, hours=2):
                assert len(await drain(aconn)) == 1
            with pytest.raises(UsageError, match="async with"), time_travel(aconn, hours=1):
                pass

    asyncio.run(main())


def test_it_goes_forward_and_not_too_far(conn: Conn) -> None:
    with pytest.raises(OptionError, match="forward"):
        time_travel(conn, hours=-1)
    pgqueue.schedule(conn, "often", tasks.send, args=[2], every=1)
    drain(conn)
    with pytest.raises(OptionError, match="ticks of schedules"), time_travel(conn, days=1):
        pass
