"""Empties the schema, for tests that commit: jobs, history, and what people have set."""

from __future__ import annotations

from pgqueue.store.statement import Statement, nothing, query


def everything() -> Statement[None]:
    """Delete every row of every table but those that a migration has filled. O(all there is)."""
    return Statement(query("empty"), (), nothing)
