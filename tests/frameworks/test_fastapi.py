"""pgqueue.contrib.fastapi: nothing is answered before it is committed, and our errors have answers of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from fastapi import Depends, FastAPI, HTTPException
from psycopg_pool import AsyncConnectionPool, ConnectionPool
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

import pgqueue
from pgqueue.contrib.fastapi import exception_handlers, in_transaction
from tests.conftest import Connect
from tests.dashboard.serving import served

TARGET = "shop.tasks:send"


def application(dsn: str) -> FastAPI:
    """Every way of opening a transaction, and every way of ending one."""
    url = "postgresql+psycopg://"

    async def connected() -> psycopg.AsyncConnection[Any]:
        return await psycopg.AsyncConnection.connect(dsn)

    sync_engine = create_engine(url, creator=lambda: psycopg.connect(dsn), poolclass=NullPool)
    async_engine = create_async_engine(url, async_creator=connected, poolclass=NullPool)
    pool, async_pool = ConnectionPool(dsn, min_size=1, open=False), AsyncConnectionPool(dsn, min_size=1, open=False)
    pooled, pooled_async = in_transaction(pool.connection), in_transaction(async_pool.connection)
    begin, begin_async = in_transaction(sync_engine.begin), in_transaction(async_engine.begin)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        with pool:
            async with async_pool:
                yield

    app = FastAPI(exception_handlers=exception_handlers, lifespan=lifespan)

    @app.post("/sync")
    def sync_way(conn: Connection = begin) -> str:
        return str(pgqueue.enqueue(conn, TARGET).id)

    @app.post("/async")
    async def async_way(conn: AsyncConnection = begin_async) -> str:
        return str((await pgqueue.enqueue(conn, TARGET)).id)

    @app.post("/pool")
    def pool_way(conn: Any = pooled) -> str:
        return str(pgqueue.enqueue(conn, TARGET).id)

    @app.post("/async-pool")
    async def async_pool_way(conn: Any = pooled_async) -> str:
        return str((await pgqueue.enqueue(conn, TARGET)).id)

    @app.post("/twice")
    def asked_for_twice(one: Connection = begin, other: Connection = begin) -> bool:
        return one is other

    @app.post("/refused")
    def refused(conn: Connection = begin) -> None:
        pgqueue.enqueue(conn, TARGET)
        raise HTTPException(418, "no")

    @app.post("/broken")
    def breaks_at_commit(conn: Connection = begin) -> str:
        conn.execute(text("create temporary table once (n int unique deferrable initially deferred)"))
        conn.execute(text("insert into once values (1), (1)"))
        return str(pgqueue.enqueue(conn, TARGET).id)

    def by_yield() -> Iterator[Connection]:
        with sync_engine.begin() as conn:
            yield conn

    plain = Depends(by_yield)

    @app.post("/plain")
    def breaks_at_commit_behind_its_answer(conn: Connection = plain) -> str:
        return breaks_at_commit(conn)

    @app.post("/keyed")
    def keyed(conn: Connection = begin) -> str:
        return str(pgqueue.enqueue(conn, TARGET, unique_key="ann@example.org", on_conflict="raise").id)

    @app.post("/full")
    def full(conn: Connection = begin) -> None:
        pgqueue.enqueue(conn, TARGET, queue="small")

    @app.post("/away")
    def away() -> None:
        pgqueue.connect("postgresql://nobody@127.0.0.1:1/nowhere")

    @app.get("/jobs/{job_id}")
    def show(job_id: UUID, conn: Connection = begin) -> str:
        return pgqueue.get_job(conn, job_id).state

    return app


@pytest.fixture
def http(dsn: str) -> Iterator[httpx.Client]:
    with served(application(dsn)) as address, httpx.Client(base_url=address, timeout=20) as client:
        yield client


def test_what_is_answered_is_committed_and_what_fails_leaves_nothing(http: httpx.Client, connect: Connect) -> None:
    conn = connect(autocommit=True)
    made = [http.post(path).json() for path in ("/sync", "/async", "/pool", "/async-pool") for _ in range(5)]
    for job_id in made:
        assert pgqueue.get_job(conn, UUID(job_id)).state == "ready"
    assert http.post("/twice").json() is True
    assert http.post("/refused").status_code == 418
    assert http.post("/broken").status_code == 500
    row = conn.execute("select count(*) from pgqueue.jobs").fetchone()
    assert row == (len(made),)


def test_a_plain_dependency_answers_before_its_commit_has_failed(http: httpx.Client, connect: Connect) -> None:
    """Why there is in_transaction() at all: if this fails, FastAPI has changed, and so must the guide."""
    assert http.post("/plain").status_code == 200
    assert connect().execute("select count(*) from pgqueue.jobs").fetchone() == (0,)


def test_our_errors_have_answers_that_tell_no_secrets(http: httpx.Client, connect: Connect) -> None:
    conn = connect(autocommit=True)
    unknown = uuid4()
    answer = http.get(f"/jobs/{unknown}")
    assert answer.status_code == 404
    assert answer.json()["detail"].startswith(f"no job {unknown}")

    assert http.post("/keyed").status_code == 200
    taken = http.post("/keyed")
    assert (taken.status_code, taken.json()) == (409, {"detail": "there is such a job already"})

    pgqueue.set_max_size(conn, "small", 1)
    assert http.post("/full").status_code == 200
    full = http.post("/full")
    assert (full.status_code, full.headers["retry-after"]) == (503, "5")

    away = http.post("/away")
    assert (away.status_code, away.headers["retry-after"]) == (503, "5")
    assert "127.0.0.1" not in away.text
