"""Words that a search may begin with: from what workers have told, never from the jobs."""

from __future__ import annotations

from pgqueue.dashboard.database import Busy, Conn, seen
from pgqueue.dashboard.pages.page import Asked
from pgqueue.job import JobState
from pgqueue.search import word
from pgqueue.store import execute, suggesting

# Seconds: workers tell once a minute.
GOOD_FOR = 60.0
MOST = 60
_ALWAYS = (*(f"state:{state}" for state in JobState), "since:1h", "since:1d", 'error:"…"', "attempt>1")


def suggested(conn: Conn, asked: Asked, text: str) -> list[tuple[str, str]]:
    """Queries that go on from a text, each with the word that it adds, for a list beside the box."""
    known = asked.memory.get("search words", GOOD_FOR, lambda: _known(conn))
    seen_ones = [(queue, task) for queue, task in known if asked.user.sees(queue)]
    queues = dict.fromkeys(word("queue", queue) for queue, _ in seen_ones if queue is not None)
    tasks = dict.fromkeys(word("task", task) for _, task in seen_ones)
    before = f"{text} " if text else ""
    return [(f"{before}{each}", each) for each in (*list(queues)[:MOST], *list(tasks)[:MOST], *_ALWAYS)]


def _known(conn: Conn) -> list[tuple[str | None, str]]:
    try:
        return seen(conn, lambda conn: execute(conn, suggesting.words()))
    except Busy:
        return []
