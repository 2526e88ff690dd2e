"""FastAPI, on SQLAlchemy's AsyncSession."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

import pgqueue
import pgqueue.dashboard
from pgqueue.contrib.fastapi import exception_handlers, in_transaction
from web.tasks import make_receipt
from web.worker_beside import worker_beside

DSN = os.environ["PGQUEUE_DSN"]
engine = create_async_engine(DSN.replace("postgresql://", "postgresql+psycopg://", 1))
sessions = async_sessionmaker(engine)
Session = Annotated[AsyncSession, in_transaction(sessions.begin)]
dashboard = pgqueue.dashboard.create_app(DSN)


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    with worker_beside(DSN):
        yield
    await dashboard.aclose()
    await engine.dispose()


app = FastAPI(lifespan=lifespan, exception_handlers=exception_handlers)
app.mount("/ops/queue", dashboard)


class Order(BaseModel):
    customer: str
    cents: int


@app.post("/orders", status_code=202)
async def place(order: Order, session: Session, request: Request, response: Response) -> dict[str, Any]:
    """The order and its job are committed together, before this is answered."""
    insert = text("insert into orders (customer, cents) values (:customer, :cents) returning id")
    order_id = await session.scalar(insert, order.model_dump())
    job = await make_receipt.enqueue(session, order_id, order.cents)
    response.headers["Location"] = str(request.url_for("show", job_id=job.id))
    return {"order": order_id, "job": job.id}


@app.get("/jobs/{job_id}")
async def show(job_id: UUID, session: Session) -> dict[str, Any]:
    """404 if there is no such job: `exception_handlers` say so."""
    job = await pgqueue.get_job(session, job_id)
    receipt = await pgqueue.result(session, job_id, timeout=0) if job.state == "succeeded" else None
    return {"state": job.state, "receipt": receipt, "error": job.last_error}


@app.delete("/jobs/{job_id}")
async def cancel(job_id: UUID, session: Session) -> dict[str, Any]:
    return {"state": await pgqueue.cancel(session, job_id)}
