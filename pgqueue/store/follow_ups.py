"""Which jobs follow those of a task: told by workers, before any of its jobs runs."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from pgqueue.store.statement import Statement, nothing


def declare(follows: Iterable[tuple[str, str]], others: Collection[str]) -> Statement[None]:
    """A worker says what follows the jobs of its tasks, by target, and which of them nothing does. O(tasks log n)."""
    told = sorted(follows)
    params = ([target for target, _ in told], [said for _, said in told], sorted(others))
    return Statement("select pgqueue.declare_follow_ups($1::text[], $2::text[], $3::text[])", params, nothing)
