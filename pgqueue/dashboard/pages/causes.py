"""Why jobs fail: one cause for all failures of a kind; and one of them, with the jobs that died of it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from pgqueue.dashboard.database import Conn, seen
from pgqueue.dashboard.pages.job_filters import Filters, found
from pgqueue.dashboard.pages.page import Asked, Missing, Page
from pgqueue.job import JobState
from pgqueue.store import causes, execute
from pgqueue.store.causes import Cause

MOST, SAMPLES = 100, 10
_DEAD = frozenset({JobState.DEAD})
# Of an error what could be somebody's: quoted parts, words with digits in them, or an @, and what is longer than
# any word, in which neither is looked for.
_PRIVATE = re.compile(
    r"""'[^'\n]*'|"[^"\n]*"|`[^`\n]*`|[^\s:,;()\[\]]{200,}|[^\s:,;()\[\]]{0,199}[\d@][^\s:,;()\[\]]*"""
)


def load(conn: Conn, asked: Asked) -> dict[str, Any]:
    """The causes, the last met first; they belong to no queue, so they exist for those alone who see all."""
    rows = seen(conn, lambda conn: execute(conn, causes.listed())) if asked.user.queues is None else []
    state = asked.text("state")
    chosen = [_shown(row) for row in rows if state is None or (row.state or "known") == state]
    return {
        "rows": chosen[:MOST],
        "left_out": max(0, len(chosen) - MOST),
        "state": state,
        "most": max((row.failures for row in rows), default=0),
        "sees_all": asked.user.queues is None,
    }


def load_one(conn: Conn, asked: Asked) -> dict[str, Any]:
    """What is to be known of a cause."""
    name = asked.path["cause"]
    # Its shape first: of a name with a zero byte in it PostgreSQL cannot even be asked.
    could_be = asked.user.queues is None and re.fullmatch(r"[0-9a-f]{12}", name)
    row = seen(conn, lambda conn: execute(conn, causes.one(name))) if could_be else None
    if row is None:
        raise Missing(f"no cause {name:.80}")
    said = Filters(JobState.DEAD, None, None, None, SAMPLES, cause=name)
    return {"row": _shown(row), "jobs": found(conn, asked, _DEAD, said).jobs}


def _shown(row: Cause) -> Cause:
    """A cause with an error that says what is common to its failures, and nothing of one of them."""
    return replace(row, error=None if row.error is None else _PRIVATE.sub("…", row.error[:2_000]))


PAGE = Page("causes", "/causes", load, ("table",))
ONE = Page("cause", "/causes/{cause}", load_one, ("head", "jobs"))
