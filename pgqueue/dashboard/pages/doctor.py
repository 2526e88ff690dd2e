"""What is wrong with the database, worst first, and what to do about it."""

from __future__ import annotations

from typing import Any

from pgqueue.dashboard.database import Conn
from pgqueue.dashboard.pages.page import Asked, Missing, Page
from pgqueue.doctor import Status

ORDER = [Status.FAIL, Status.WARN, Status.UNKNOWN, Status.OK]
# What each looks like: the state whose colour it has.
LOOKS = {Status.FAIL: "dead", Status.WARN: "failed", Status.UNKNOWN: "lost", Status.OK: "succeeded"}


def load(_conn: Conn, asked: Asked) -> dict[str, Any]:
    """What the doctor finds, for those who see all queues."""
    if asked.user.queues is not None:
        raise Missing("the doctor looks at the whole database, and exists for those alone who see all queues")
    if asked.checkup is None:
        raise Missing("the doctor opens connections of its own: give create_app() a DSN, not a pool")
    found = asked.checkup()
    verdicts = sorted(found.verdicts, key=lambda each: ORDER.index(each.status))
    counts = {status: sum(each.status == status for each in verdicts) for status in ORDER}
    return {"verdicts": verdicts, "at": found.at, "counts": counts, "looks": LOOKS}


PAGE = Page("doctor", "/doctor", load, ())
