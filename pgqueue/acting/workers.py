"""One worker asked by hand to be quiet, to go on, to stop, or to leave at once."""

from __future__ import annotations

from typing import Literal

from pgqueue.acting.audited import Actor, Conn, audited
from pgqueue.store import execute, workers
from pgqueue.store.workers import WorkerRow

Wish = Literal["quiet", "resume", "stop", "evict"]


def ask(conn: Conn, actor: Actor, worker: WorkerRow, wish: Wish) -> bool:
    """Ask a worker, which hears of it with its next heartbeat; False if it has ended."""
    with audited(conn, actor, f"workers {wish}", on=f"{worker.id} {worker.host}") as act:
        act.done = execute(conn, workers.ask(worker.id, wish))
    return act.done
