"""Bugs to plant in a database: each takes a guard out of pgqueue's functions, as they stand in their files."""

from __future__ import annotations

from typing import Any

import psycopg

from pgqueue.store.functions import text_of

SETTLE_TOKEN = """
        and ((job.id, job.claim) in (select done.id, done.claim from unnest(_ids, _claims) as done (id, claim)))"""

BUGS: dict[str, dict[str, dict[str, str]]] = {
    "a settlement asks for no token": {
        "step": {f"{SETTLE_TOKEN} is true": "", "job.id = any (_ids) and job.worker = _worker": "job.id = any (_ids)"},
    },
    "a failure asks for no token": {"fail": {"and held.claim = told.claim and held.worker = _worker": ""}},
    "a completion asks for no token": {"complete": {"and job.claim = _claim and job.worker = _worker": ""}},
    "a claim has no new number": {"step": {"claim = least(job.claim, 2147483646) + 1": "claim = job.claim"}},
    "a heartbeat does not ask whether the lease stands": {"heartbeat": {"and me.expires_at > clock_timestamp()": ""}},
    "an enqueue does not ask whether its job has ended": {
        "enqueue_job": {"pgqueue.has_ended(_id)": "false", "pgqueue.ended_meanwhile(_id)": "false"},
    },
    # Either guard would be enough.
    "a tick does not ask whether it has been decided": {
        "fire": {
            "s.unique_key is null and s.cost is null and s.overlap = 'allow' as plain": "false as plain",
            "and (s.next_at = told.expected and s.next_at <= _now) is true": "",
        },
        "enqueue_tick": {"if not found then\n    did := null;": "if false then\n    did := null;"},
    },
}


def plant(bug: str, conn: psycopg.Connection[Any]) -> None:
    """Replace functions of pgqueue in this database alone."""
    for name, changes in BUGS[bug].items():
        text = text_of(name)
        for guard, nothing in changes.items():
            assert guard in text, f"{name}.sql no longer reads {guard!r}; say here how its guard reads now"
            text = text.replace(guard, nothing)
        conn.execute(text)
