"""One schedule moved by hand: paused, resumed, removed, run once more."""

from __future__ import annotations

from uuid import UUID

from pgqueue.acting.audited import Actor, Conn, audited
from pgqueue.store import Statement, execute, schedules


def pause(conn: Conn, actor: Actor, name: str) -> bool:
    """Let a schedule fire no more; False if there is none of this name."""
    return _moved(conn, actor, "pause", name, schedules.pause(name))


def resume(conn: Conn, actor: Actor, name: str) -> bool:
    """Let a paused schedule go on; False if there is none of this name."""
    return _moved(conn, actor, "resume", name, schedules.resume(name))


def remove(conn: Conn, actor: Actor, name: str) -> bool:
    """Remove a schedule; its jobs and its history stay. False if there is none of this name."""
    return _moved(conn, actor, "remove", name, schedules.remove(name))


def run(conn: Conn, actor: Actor, name: str) -> UUID | None:
    """Enqueue one more job of a schedule now; answers its id, None if there is no such schedule."""
    with audited(conn, actor, "schedules run", on=name) as act:
        job = execute(conn, schedules.run(name))
        act.done = job is not None
    return job


def _moved(conn: Conn, actor: Actor, action: str, name: str, move: Statement[bool]) -> bool:
    with audited(conn, actor, f"schedules {action}", on=name) as act:
        act.done = execute(conn, move)
    return act.done
