"""One worker asked by hand to be quiet, to go on, to stop, to leave at once, or to say where its jobs are."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pgqueue.acting.audited import Actor, Conn, audited
from pgqueue.store import dumps, execute, workers
from pgqueue.store.workers import WorkerRow

Wish = Literal["quiet", "resume", "stop", "evict"]


def ask(conn: Conn, actor: Actor, worker: WorkerRow, wish: Wish) -> bool:
    """Ask a worker, which hears of it with its next heartbeat; False if it has ended."""
    with audited(conn, actor, f"workers {wish}", on=f"{worker.id} {worker.host}") as act:
        act.done = execute(conn, workers.ask(worker.id, wish))
    return act.done


def ask_dump(conn: Conn, actor: Actor, worker: WorkerRow) -> datetime | None:
    """Ask a worker where its jobs are; when that was, None if it has ended."""
    with audited(conn, actor, "workers dump", on=f"{worker.id} {worker.host}") as act:
        asked_at = execute(conn, dumps.ask(worker.id))
        act.done = asked_at is not None
    return asked_at
