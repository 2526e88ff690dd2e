"""Open pages hear of changes from one poller, and where none is open nothing is asked."""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any

import psycopg
import pytest
from psycopg import sql

from pgqueue.dashboard import Dashboard, live
from pgqueue.dashboard.live import Poller, Stream
from pgqueue.dashboard.rendering import Regions
from pgqueue.errors import PgqueueError
from tests.conftest import Connect
from tests.dashboard.asking import ask
from tests.dashboard.serving import Events, fetch, served
from tests.factories import enqueue
from tests.postgres import Databases
from tests.waiting import wait_until

Conn = psycopg.Connection[Any]


def known(page: str) -> str:
    """What a page shows, as its script says it."""
    regions = re.findall(r'data-region="(\w+)" data-hash="(\w+)"', page)
    assert regions
    return ",".join(f"{name}.{digest}" for name, digest in regions)


def test_a_page_hears_of_a_change_and_fetches_the_region_alone(app: Dashboard, conn: Conn) -> None:
    with served(app) as address:
        page = fetch(f"{address}/jobs")
        stream = Events(address, f"/jobs?_every=1&_known={known(page)}")
        assert stream.answer.getheader("x-accel-buffering") == "no"
        stream.next("beat")
        job = enqueue(conn)
        assert stream.next("changed") == "table"
        region = fetch(f"{address}/jobs", **{"x-regions": "table"})
        assert str(job) in region
        assert "<html" not in region
        stream.close()


def test_a_page_that_is_old_hears_so_at_once(app: Dashboard) -> None:
    with served(app) as address:
        stream = Events(address, "/queues?_every=60&_known=table.0")
        assert stream.next("changed") == "table"
        stream.close()


def test_many_browsers_cost_one_question_and_none_cost_nothing(app: Dashboard, conn: Conn, connect: Connect) -> None:
    watching = connect(autocommit=True)
    asks = """
    select count(*), coalesce(max(extract(epoch from clock_timestamp() - query_start)), 0)
    from pg_stat_activity where application_name = 'pgqueue dashboard'
    """
    with served(app) as address:
        streams = [Events(address, "/queues?_every=1&_known=table.0") for _ in range(12)]
        for stream in streams:
            stream.next("changed")
        connections, _ = watching.execute(asks).fetchone() or (0, 0)
        assert connections == 1
        for stream in streams:
            stream.close()
        # The tabs are closed: once the server has noticed, no connection of ours asks anything any more.
        wait_until(lambda: (watching.execute(asks).fetchone() or (0, 0))[1] > 3, timeout=20)


def test_where_no_page_is_open_the_database_is_asked_nothing(
    app: Dashboard, databases: Databases, database: str, connect: Connect
) -> None:
    watching = connect(autocommit=True)
    log = databases.server.logfile
    # From the next session on: those of the dashboard.
    watching.execute(sql.SQL("alter database {} set log_statement = 'all'").format(sql.Identifier(database)))

    def statements(since: int) -> int:
        with log.open("rb") as file:
            file.seek(since)
            return len(re.findall(rb"LOG:  (?:statement|execute )", file.read()))

    with served(app) as address:
        begin = log.stat().st_size
        streams = [Events(address, f"{path}?_every=1&_known=table.0") for path in ("/", "/queues", "/jobs") * 4]
        for stream in streams:
            stream.next("beat")
        assert statements(begin) > 0
        for stream in streams:
            stream.close()
        # Once the server has noticed that they are closed.
        watching.execute("select pg_sleep(1.5)")
        still = log.stat().st_size
        watching.execute("select pg_sleep(2.5)")
        assert statements(still) == 0
        # It is none that cannot ask any more.
        fetch(f"{address}/queues")
        assert statements(still) > 0


def test_all_pages_together_are_asked_for_a_tenth_of_the_time_at_most() -> None:
    """However slow the questions are, and however many pages there are."""
    asked: list[float] = []

    async def look() -> Regions:
        begun = time.monotonic()
        await asyncio.sleep(0.1)
        asked.append(time.monotonic() - begun)
        raise PgqueueError("nothing to be seen")

    async def watched() -> float:
        poller, begun = Poller(), time.monotonic()
        frames = [poller.watch(page, look, Stream(1, {})) for page in range(6)]
        tabs = [asyncio.create_task(anext(frame)) for frame in frames]
        await asyncio.gather(*tabs)
        await asyncio.sleep(3)
        for frame in frames:
            await frame.aclose()
        return time.monotonic() - begun

    took = asyncio.run(watched())
    assert asked
    # But for the last one: what is to follow it has not yet come.
    assert sum(asked[:-1]) <= took / 10


def test_a_database_that_is_away_is_said_and_comes_back(app: Dashboard, conn: Conn, connect: Connect) -> None:
    with served(app) as address:
        stream = Events(address, "/queues?_every=1&_known=table.0")
        stream.next("changed")
        locking = connect()
        locking.execute("lock table pgqueue.jobs in access exclusive mode")
        assert "did not answer in time" in stream.next("trouble")
        locking.rollback()
        stream.next("beat")
        stream.close()


def test_where_an_answer_holds_a_thread_there_is_no_stream(app: Dashboard) -> None:
    wsgi = {"wsgi_environ": {}}
    assert ask(app, "/queues", headers=[("accept", "text/event-stream")], besides=wsgi).status == 204


def test_regions_are_those_of_the_page_and_no_others(app: Dashboard) -> None:
    text = ask(app, "/queues", headers=[("x-regions", "table,../base,nothing")]).text
    assert re.findall(r'data-region="(\w+)"', text) == ["table"]


def test_no_more_streams_are_begun_than_there_may_be_however_many_ask_at_once(
    app: Dashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MOST_STREAMS", 2)
    poller = Poller()
    streams = [Stream(1, {}) for _ in range(3)]
    # Admitted, and none of them begun yet.
    assert [poller.admit(stream) for stream in streams] == [True, True, False]
    # One that never begins, because its browser has gone, gives its place back.
    del streams[0]
    assert poller.admit(streams[-1])

    async def begun_and_ended() -> None:
        frames = poller.watch("page", _nothing, streams[0])
        await anext(frames)
        assert not poller.admit(Stream(1, {}))
        await frames.aclose()
        assert poller.admit(Stream(1, {}))

    asyncio.run(begun_and_ended())
    with served(app) as address:
        events = [Events(address, "/queues?_every=60&_known=table.0") for _ in range(3)]
        assert [each.answer.status for each in events] == [200, 200, 204]
        for each in events:
            each.close()


async def _nothing() -> Regions:
    raise PgqueueError("nothing to be seen")
