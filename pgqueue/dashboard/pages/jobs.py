"""Jobs, newest first, by state, queue and task; and the one that an id names."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from pgqueue.dashboard.database import Conn, seen
from pgqueue.dashboard.pages.job_filters import LIMITS, filters, found
from pgqueue.dashboard.pages.page import Asked, Elsewhere, Missing, Page
from pgqueue.job import JobState
from pgqueue.store import execute, reading

_ID = re.compile(r"#?([0-9a-fA-F]{8}[0-9a-fA-F-]{0,28})")


def load(conn: Conn, asked: Asked) -> dict[str, Any]:
    """A page of jobs. Raises Elsewhere if what is searched for is one job, or a queue's or task's name."""
    search = asked.text("q")
    if search is not None:
        _go(conn, search)
    said = filters(asked)
    states = frozenset({said.state} if said.state else JobState)
    return {"said": said, "states": list(JobState), "found": found(conn, asked, states, said), "limits": LIMITS}


def _go(conn: Conn, search: str) -> None:
    """Where a search leads: to the job whose id begins so, to a task's jobs, to a queue's."""
    if named := _ID.fullmatch(search):
        digits = named[1].replace("-", "").lower()
        first, last = seen(
            conn,
            lambda conn: execute(
                conn, reading.ids_between(UUID(digits[:32].ljust(32, "0")), UUID(digits[:32].ljust(32, "f")))
            ),
        )
        if first is None:
            raise Missing(f"no job's id begins with {search}")
        if first != last:
            raise Missing(f"several jobs' ids begin with {search}, such as {first} and {last}; give more digits")
        raise Elsewhere("job", id=str(first))
    word, colon, rest = search.partition(":")
    if colon and word in ("queue", "state", "target", "task") and rest:
        raise Elsewhere("jobs", query={"target" if word == "task" else word: rest.strip()})
    raise Elsewhere("jobs", query={"target" if colon else "queue": search})


PAGE = Page("jobs", "/jobs", load, ("table",))
