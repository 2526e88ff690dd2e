"""Jobs, newest first, as a search in words asks for them; and the one that an id names."""

from __future__ import annotations

import re
from typing import Any

from pgqueue import operations
from pgqueue.dashboard.database import Busy, Conn, seen
from pgqueue.dashboard.pages import columns
from pgqueue.dashboard.pages.depths import Filling, filling
from pgqueue.dashboard.pages.job_filters import LIMITS, Found
from pgqueue.dashboard.pages.page import Asked, Elsewhere, Missing, Page
from pgqueue.dashboard.pages.searched import USUAL, Said, ids_of, said, searched
from pgqueue.dashboard.pages.suggested import suggested
from pgqueue.finding import nearest_queue, nearest_task
from pgqueue.job import JobState
from pgqueue.search import asked_for, guessed, replaced, word
from pgqueue.store import execute, workers

_ID = re.compile(r"#?(?=\D*\d)([0-9a-fA-F]{6}[0-9a-fA-F-]{0,30})…?")
# Of fewer digits it may be a word.
_SURELY = 8
# A box beside a job is a parameter of its own, as it is sent without JavaScript.
CHOSEN = "j."
_CHOSEN = re.compile(r"j\.[0-9a-f]{32}")
# Seconds: what the tabs count.
GOOD_FOR = 5.0


def load(conn: Conn, asked: Asked) -> dict[str, Any]:
    """A page of jobs. Raises Elsewhere if what is searched for is one job, or has a plainer address."""
    _lead_on(conn, asked)
    there = said(conn, asked)
    if there.wrong is not None and there.wrong.mended is None and (meant := guessed(there.text)) is not None:
        raise Elsewhere("jobs", q=meant)
    shown = columns.chosen(asked)
    found = None if there.query is None else searched(conn, asked, there)
    return {
        "said": there,
        "found": found,
        "meant": _meant(conn, asked, there, found),
        "keep": {
            "q": there.text or None,
            "limit": None if there.limit == USUAL else there.limit,
            "columns": columns.said(shown),
        },
        "states": _tabs(there),
        "counts": _counts(conn, asked) if not there.text else None,
        "limits": LIMITS,
        "usual_limit": USUAL,
        "columns": columns.COLUMNS,
        "chosen": shown,
        "suggestions": suggested(conn, asked, there.text if there.query is not None else ""),
        "workers": _workers(conn) if "worker" in shown else {},
    }


def _lead_on(conn: Conn, asked: Asked) -> None:
    """Where an address leads that names one job, boxes that were ticked, or filters as they were said once."""
    text = asked.query.get("q", "").strip()
    if (ticked := columns.ticked(asked)) is not None:
        raise Elsewhere("jobs", q=text or None, limit=asked.text("limit"), columns=ticked or None)
    if asked.query.get("pick") in operations.STATES:
        ids = [name.removeprefix(CHOSEN) for name in asked.query if _CHOSEN.fullmatch(name)]
        if not ids:
            raise Elsewhere("jobs", q=text or None)
        raise Elsewhere("act", on="bulk", name=asked.query["pick"], of=f"id:{','.join(ids)}")
    if (named := _ID.fullmatch(text)) is not None:
        _go(conn, asked, named[1].replace("-", "").lower()[:32])
    filters = {"state": asked.text("state"), "queue": asked.text("queue"), "task": asked.text("target")}
    if any(filters.values()):
        words = [word(field, value) for field, value in filters.items() if value is not None]
        raise Elsewhere("jobs", q=" ".join([text, *words]).strip(), limit=asked.text("limit"))


def _go(conn: Conn, asked: Asked, digits: str) -> None:
    found = ids_of(conn, asked, digits)
    if len(found) == 1:
        raise Elsewhere("job", id=str(found[0]))
    if found:
        raise Elsewhere("jobs", q=f"id:{digits}")
    if len(digits) >= _SURELY:
        raise Missing(f"no job's id begins with {digits}: never committed, or its history is past its keeping time")


def _meant(conn: Conn, asked: Asked, said: Said, found: Found | None) -> str | None:
    """The query that may have been meant, where nothing was found, or it cannot be read."""
    if found is None:
        return None if said.wrong is None else said.wrong.mended
    if found.jobs or not said.text:
        return None
    if (queue := asked_for(said.text, "queue")) is not None:
        nearest = seen(conn, lambda conn: nearest_queue(conn, queue, asked.user.sees))
        if nearest is not None:
            return replaced(said.text, "queue", nearest)
    if asked.user.queues is None and (task := asked_for(said.text, "task")) is not None:
        nearest = seen(conn, lambda conn: nearest_task(conn, task))
        if nearest is not None:
            return replaced(said.text, "task", nearest)
    return None


def _tabs(said: Said) -> list[tuple[JobState | None, str | None, bool]]:
    """A tab a state: the state, the query with it, and whether it is the one asked for."""
    if said.query is None:
        return [(state, None if state is None else f"state:{state}", False) for state in (None, *JobState)]
    now = asked_for(said.text, "state")
    return [(state, replaced(said.text, "state", state) or None, state == now) for state in (None, *JobState)]


def _counts(conn: Conn, asked: Asked) -> Filling | None:
    try:
        return asked.memory.get(("filling", asked.user.queues), GOOD_FOR, lambda: filling(conn, asked.user))
    except Busy:
        return None


def _workers(conn: Conn) -> dict[int, Any]:
    return {row.id: row for row in seen(conn, lambda conn: execute(conn, workers.rows()))}


PAGE = Page("jobs", "/jobs", load, ("table",))
