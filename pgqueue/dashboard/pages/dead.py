"""Dead jobs, newest first: why each died."""

from __future__ import annotations

from typing import Any

from pgqueue.dashboard.database import Conn
from pgqueue.dashboard.pages.job_filters import LIMITS, filters, found
from pgqueue.dashboard.pages.page import Asked, Page
from pgqueue.job import JobState


def load(conn: Conn, asked: Asked) -> dict[str, Any]:
    """A page of dead jobs."""
    said = filters(asked)
    return {"said": said, "found": found(conn, asked, frozenset({JobState.DEAD}), said), "limits": LIMITS}


PAGE = Page("dead", "/dead", load, ("table",))
