"""What people say of one cause: muted, mended, known."""

from __future__ import annotations

from datetime import timedelta

from pgqueue.acting.audited import Actor, Conn, audited
from pgqueue.store import Statement, causes, execute


def mute(conn: Conn, actor: Actor, cause: str, lasting: timedelta | None) -> bool:
    """Say nothing more of it for so long; None says it again. False if nobody has looked at it yet."""
    return _said(conn, actor, "causes mute" if lasting else "causes unmute", cause, causes.mute(cause, lasting))


def resolve(conn: Conn, actor: Actor, cause: str, release: str | None = None) -> bool:
    """It is mended, from a release on: met again, it is a regression. False if nobody has looked at it yet."""
    return _said(conn, actor, "causes resolve", cause, causes.resolve(cause, release))


def reopen(conn: Conn, actor: Actor, cause: str) -> bool:
    """It is not mended after all. False if nobody has looked at it yet."""
    return _said(conn, actor, "causes reopen", cause, causes.reopen(cause))


def describe(
    conn: Conn,
    actor: Actor,
    cause: str,
    *,
    title: str | None = None,
    note: str | None = None,
    assignee: str | None = None,
) -> bool:
    """What it is, who looks after it, what is known; None stays. False if nobody has looked at it yet."""
    return _said(conn, actor, "causes describe", cause, causes.describe(cause, title, note, assignee))


def _said(conn: Conn, actor: Actor, action: str, cause: str, change: Statement[bool]) -> bool:
    with audited(conn, actor, action, on=f"cause:{cause}") as act:
        act.done = execute(conn, change)
    return act.done
