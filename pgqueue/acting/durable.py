"""Signals to durable functions, and forks of them, by hand."""

from __future__ import annotations

from uuid import UUID

from pgqueue.acting.audited import Actor, Conn, audited
from pgqueue.durable import fork as forked
from pgqueue.durable import signal as sent


def signal(conn: Conn, actor: Actor, job_id: UUID, event: str, payload: object) -> bool:
    """Send a signal; False if there was one before, or the job has ended. Raises JobNotFound, OptionError."""
    with audited(conn, actor, "signal", on=event, job_ids=[job_id]) as act:
        act.done = sent(conn, job_id, event, payload)
    return act.done


def fork(conn: Conn, actor: Actor, job_id: UUID, step: str) -> UUID:
    """Enqueue a job that goes on before a step of this one; its id. Raises JobNotFound, OptionError."""
    with audited(conn, actor, "fork", on=step, job_ids=[job_id]) as act:
        made = forked(conn, job_id, step)
        act.done = True
    return made
