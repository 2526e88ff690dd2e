"""Where the jobs of a worker were in their code when it was last asked; asking is an action."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from psycopg import errors

from pgqueue.dashboard.database import Conn, seen
from pgqueue.dashboard.pages.page import Asked
from pgqueue.store import dumps, execute
from pgqueue.store.dumps import Dump

# Jobs whose stacks are shown.
MOST = 50


def dump_of(conn: Conn, asked: Asked, worker: int) -> dict[str, Any]:
    """What it told, or since when it owes an answer; nothing for who does not see all queues: it names jobs of all."""
    found = None
    if asked.user.queues is None:
        try:
            found = seen(conn, lambda conn: execute(conn, dumps.latest(worker)))
        except (errors.UndefinedTable, errors.InsufficientPrivilege):
            # A schema before this release, or a role that it has not told of its table yet.
            found = None
    if not isinstance(found, Dump):
        return {"dump": None, "dump_asked": found}
    jobs = [
        replace(each, stack=None if each.stack is None else asked.redaction.in_words(each.stack))
        for each in found.jobs[:MOST]
    ]
    return {
        "dump": replace(found, jobs=jobs, left_out=found.left_out + len(found.jobs) - len(jobs)),
        "dump_asked": None,
    }
