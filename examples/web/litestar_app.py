"""Litestar, on SQLAlchemy's AsyncConnection."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from litestar import Litestar, Request, Response, asgi, delete, get, post
from litestar.types import Receive, Scope, Send
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

import pgqueue
import pgqueue.dashboard
from web.tasks import make_receipt
from web.worker_beside import worker_beside

DSN = os.environ["PGQUEUE_DSN"]
engine = create_async_engine(DSN.replace("postgresql://", "postgresql+psycopg://", 1))
dashboard = pgqueue.dashboard.create_app(DSN)


@dataclass
class Order:
    customer: str
    cents: int


@post("/orders", status_code=202)
async def place(data: Order, request: Request[Any, Any, Any]) -> Response[dict[str, Any]]:
    """The order and its job are committed together, where the block ends: before this is answered."""
    async with engine.begin() as conn:
        insert = text("insert into orders (customer, cents) values (:customer, :cents) returning id")
        order_id = await conn.scalar(insert, asdict(data))
        job = await make_receipt.enqueue(conn, order_id, data.cents)
    where = request.url_for("show", job_id=job.id)
    return Response({"order": order_id, "job": str(job.id)}, headers={"Location": where})


@get("/jobs/{job_id:uuid}", name="show")
async def show(job_id: UUID) -> dict[str, Any]:
    async with engine.begin() as conn:
        job = await pgqueue.get_job(conn, job_id)
        receipt = await pgqueue.result(conn, job_id, timeout=0) if job.state == "succeeded" else None
    return {"state": job.state, "receipt": receipt, "error": job.last_error}


@delete("/jobs/{job_id:uuid}", status_code=200)
async def cancel(job_id: UUID) -> dict[str, Any]:
    async with engine.begin() as conn:
        return {"state": await pgqueue.cancel(conn, job_id)}


@asgi("/ops/queue", is_mount=True, copy_scope=True)
async def pages(scope: Scope, receive: Receive, send: Send) -> None:
    """Litestar takes the mount's path off and puts a slash behind the rest; the dashboard needs to know its path."""
    below = {**scope, "root_path": "/ops/queue", "path": scope["path"].rstrip("/") or "/"}
    await dashboard(below, receive, send)  # type: ignore[arg-type]


def no_such_job(_request: Request[Any, Any, Any], error: pgqueue.JobNotFound) -> Response[dict[str, str]]:
    return Response({"detail": str(error)}, status_code=404)


@asynccontextmanager
async def lifespan(_app: Litestar) -> AsyncIterator[None]:
    with worker_beside(DSN):
        yield
    await dashboard.aclose()
    await engine.dispose()


app = Litestar(
    [place, show, cancel, pages],
    lifespan=[lifespan],
    exception_handlers={pgqueue.JobNotFound: no_such_job},
)
