"""Flask, on SQLAlchemy's Session."""

from __future__ import annotations

import os
import sys
from typing import Any
from uuid import UUID

from a2wsgi import ASGIMiddleware
from flask import Flask, request, url_for
from sqlalchemy import create_engine, text
from sqlalchemy.orm import sessionmaker
from werkzeug.middleware.dispatcher import DispatcherMiddleware

import pgqueue
import pgqueue.dashboard
from web.tasks import make_receipt
from web.worker_beside import worker_beside

DSN = os.environ["PGQUEUE_DSN"]
sessions = sessionmaker(create_engine(DSN.replace("postgresql://", "postgresql+psycopg://", 1)))

app = Flask(__name__)
app.wsgi_app = DispatcherMiddleware(  # type: ignore[method-assign]
    app.wsgi_app, {"/ops/queue": ASGIMiddleware(pgqueue.dashboard.create_app(DSN))}
)


@app.post("/orders")
def place() -> Any:
    """The order and its job are committed together, where the block ends: before this is answered."""
    order = request.get_json()
    with sessions.begin() as session:
        insert = text("insert into orders (customer, cents) values (:customer, :cents) returning id")
        order_id = session.scalar(insert, order)
        job = make_receipt.enqueue(session, order_id, order["cents"])
    where = url_for("show", job_id=job.id, _external=True)
    return {"order": order_id, "job": str(job.id)}, 202, {"Location": where}


@app.get("/jobs/<uuid:job_id>")
def show(job_id: UUID) -> Any:
    with sessions.begin() as session:
        job = pgqueue.get_job(session, job_id)
        receipt = pgqueue.result(session, job_id, timeout=0) if job.state == "succeeded" else None
    return {"state": job.state, "receipt": receipt, "error": job.last_error}


@app.delete("/jobs/<uuid:job_id>")
def cancel(job_id: UUID) -> Any:
    with sessions.begin() as session:
        return {"state": pgqueue.cancel(session, job_id)}


@app.errorhandler(pgqueue.JobNotFound)
def no_such_job(error: pgqueue.JobNotFound) -> Any:
    return {"detail": str(error)}, 404


if __name__ == "__main__":
    with worker_beside(DSN):
        app.run(port=int(sys.argv[1]))
