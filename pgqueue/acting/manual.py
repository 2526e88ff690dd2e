"""What a human answers in place of code: of a job that fell back to one."""

from __future__ import annotations

from uuid import UUID

from pgqueue.acting.audited import Actor, Conn
from pgqueue.acting.jobs import Moved
from pgqueue.encryption import Kind
from pgqueue.store import Statement, manual
from pgqueue.store.asking import ask, required
from pgqueue.store.kept_values import kept_value
from pgqueue.store.sync_or_async import at_once


def done(conn: Conn, actor: Actor, job_id: UUID, result: str) -> Moved:
    """Let a job that waits for a human succeed with a result, which is JSON. Raises JobNotFound."""
    result = at_once(kept_value(conn, job_id, Kind.RESULT, result))
    return _answered(conn, job_id, manual.done(job_id, result, actor.who, actor.via, actor.reason))


def fail(conn: Conn, actor: Actor, job_id: UUID) -> Moved:
    """Let a job that waits for a human be dead, for the actor's reason. Raises JobNotFound."""
    return _answered(conn, job_id, manual.fail(job_id, actor.reason, actor.who, actor.via))


def _answered(conn: Conn, job_id: UUID, statement: Statement[manual.Answered | None]) -> Moved:
    answered = ask(conn, required(statement, job_id))
    said = None if answered.done else f"{job_id} does not wait for a human: it is {answered.state}"
    return Moved(job_id, answered.state, answered.done, said)
