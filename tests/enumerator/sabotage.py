"""Bugs to plant in a database: each takes one guard out of a function of pgqueue, as it stands in its file."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import psycopg

BUGS: dict[str, tuple[str, dict[str, str]]] = {
    "a settlement asks for no token": ("step", {"and job.claim = done.claim and job.worker = _worker": ""}),
    "a failure asks for no token": ("fail", {"and job.claim = told.claim and job.worker = _worker": ""}),
    "a completion asks for no token": ("complete", {"and job.claim = _claim and job.worker = _worker": ""}),
    "a claim has no new number": ("step", {"claim = job.claim + 1": "claim = job.claim"}),
    "a heartbeat does not ask whether the lease stands": ("heartbeat", {"and me.expires_at > clock_timestamp()": ""}),
    "an enqueue does not ask whether its job has ended": ("enqueue_job", {"pgqueue.has_ended(_id)": "false"}),
}


def plant(bug: str, conn: psycopg.Connection[Any]) -> None:
    """Replace a function of pgqueue in this database alone."""
    name, changes = BUGS[bug]
    text = (files("pgqueue.store") / "sql" / "functions" / f"{name}.sql").read_text()
    for guard, nothing in changes.items():
        assert guard in text, f"{name}.sql no longer reads {guard!r}; say here how its guard reads now"
        text = text.replace(guard, nothing)
    conn.execute(text)
