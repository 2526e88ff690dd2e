"""What the jobs of a node returned, in the order in which they were enqueued."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

from pgqueue.store.direct import Rows
from pgqueue.store.reading import load_json
from pgqueue.store.statement import Statement, query

# Results of one statement.
PAGE = 500


class Place(NamedTuple):
    """Behind which result a page begins."""

    node: int
    job_id: UUID


FIRST = Place(0, UUID(int=0))


class Page(NamedTuple):
    """Some results, each with the job that returned it; `last` is the last one's place, None if there are no more."""

    results: list[tuple[UUID, Any]]
    last: Place | None


def gathered(job_id: UUID, node: str | None, after: Place, limit: int = PAGE) -> Statement[Page]:
    """Results of a node of the workflow that a job is of, by the node's name, or of those that it waited for.

    Walks jobs_pkey, nodes_pkey, results_workflow; O(limit log n).
    """
    params = (job_id, node, after.node, after.job_id, limit)
    return Statement(query("gathered"), params, lambda rows: _page(rows, limit))


def _page(rows: Rows, limit: int) -> Page:
    last = Place(rows[-1][0], rows[-1][1]) if len(rows) == limit else None
    return Page([(row[1], load_json(row[2])) for row in rows], last)
