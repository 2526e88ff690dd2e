"""Routes in the database: which queue the jobs of a target wait in, where nothing else says it."""

from __future__ import annotations

from typing import NamedTuple

from pgqueue.store.statement import Statement, nothing, only_value


class Route(NamedTuple):
    """The queue of the targets that a pattern means."""

    pattern: str
    queue: str


def rows() -> Statement[list[Route]]:
    """All routes, by pattern."""
    sql = "select pattern, queue from pgqueue.routes order by pattern"
    return Statement(sql, (), lambda rows: [Route._make(row) for row in rows])


def put(pattern: str, queue: str) -> Statement[None]:
    """A route, new or changed; of jobs to come."""
    return Statement("select pgqueue.set_route($1::text, $2::text)", (pattern, queue), nothing)


def remove(pattern: str) -> Statement[bool]:
    """Take a route away; False if there is none."""
    return Statement("select pgqueue.remove_route($1::text)", (pattern,), only_value)
