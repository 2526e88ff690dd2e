"""Words that a search may begin with, from what workers have told: jobs are not asked."""

from __future__ import annotations

from pgqueue.store.statement import Statement, query

# Rows of tallies, and apps, that are looked at.
TALLIES, APPS = 20_000, 20


def words() -> Statement[list[tuple[str | None, str]]]:
    """Queues with tasks whose jobs ended in them lately, and tasks that workers can run (queue None). O(20,000)."""
    return Statement(query("search_words"), (TALLIES, APPS), lambda rows: [(row[0], row[1]) for row in rows])
