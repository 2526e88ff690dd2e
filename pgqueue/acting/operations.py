"""One bulk action stopped by hand, or let go on."""

from __future__ import annotations

from pgqueue.acting.audited import Actor, Conn, audited
from pgqueue.store import execute, operations
from pgqueue.store.operations import Operation


def stop(conn: Conn, actor: Actor, operation: Operation) -> bool:
    """Stop it after the batch under way; False if it does not run any more."""
    with audited(conn, actor, f"operations stop {operation.id}", on=operation.filter) as act:
        act.done = execute(conn, operations.stop(operation.id, actor.reason or "stopped by hand"))
    return act.done


def resume(conn: Conn, actor: Actor, operation: Operation, *, detached: bool) -> bool:
    """Let it go on where it stood, left to the workers if `detached`; False if it is done."""
    with audited(conn, actor, f"operations resume {operation.id}", on=operation.filter) as act:
        act.done = execute(conn, operations.resume(operation.id, detached=detached))
    return act.done
