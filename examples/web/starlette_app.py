"""Starlette, on a pool of psycopg's."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from psycopg_pool import AsyncConnectionPool
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

import pgqueue
import pgqueue.dashboard
from web.tasks import make_receipt
from web.worker_beside import worker_beside

DSN = os.environ["PGQUEUE_DSN"]
pool = AsyncConnectionPool(DSN, open=False)
dashboard = pgqueue.dashboard.create_app(DSN)


async def place(request: Request) -> JSONResponse:
    """The order and its job are committed together, where the block ends: before this is answered."""
    order = await request.json()
    async with pool.connection() as conn:
        insert = "insert into orders (customer, cents) values (%s, %s) returning id"
        row = await (await conn.execute(insert, (order["customer"], order["cents"]))).fetchone()
        job = await make_receipt.enqueue(conn, row[0], order["cents"])
    headers = {"Location": str(request.url_for("show", job_id=job.id))}
    return JSONResponse({"order": row[0], "job": str(job.id)}, 202, headers)


async def show(request: Request) -> JSONResponse:
    job_id = request.path_params["job_id"]
    async with pool.connection() as conn:
        job = await pgqueue.get_job(conn, job_id)
        receipt = await pgqueue.result(conn, job_id, timeout=0) if job.state == "succeeded" else None
    return JSONResponse({"state": job.state, "receipt": receipt, "error": job.last_error})


async def cancel(request: Request) -> JSONResponse:
    async with pool.connection() as conn:
        return JSONResponse({"state": await pgqueue.cancel(conn, request.path_params["job_id"])})


async def no_such_job(_request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, 404)


@asynccontextmanager
async def lifespan(_app: Starlette) -> AsyncIterator[None]:
    async with pool:
        with worker_beside(DSN):
            yield
    await dashboard.aclose()


app = Starlette(
    lifespan=lifespan,
    exception_handlers={pgqueue.JobNotFound: no_such_job},
    routes=[
        Route("/orders", place, methods=["POST"]),
        Route("/jobs/{job_id:uuid}", show, name="show"),
        Route("/jobs/{job_id:uuid}", cancel, methods=["DELETE"]),
        Mount("/ops/queue", dashboard),
    ],
)
