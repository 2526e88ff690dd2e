"""Which job brought which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from pgqueue.job import JobState
from pgqueue.record import TreeNode
from pgqueue.store.direct import Rows
from pgqueue.store.statement import Statement


def tree(job_id: UUID, limit: int, after: UUID | None) -> Statement[list[TreeNode]]:
    """A job and those that it brought, generation by generation; empty if it is not known. O(limit log n)."""
    return Statement(_TREE, (job_id, limit, after), _read)


_TREE = """
select id, parent_id, generation, nth, how, target, queue, state, more
from pgqueue.job_tree($1::pg_catalog.uuid, $2::int, $3::pg_catalog.uuid)
"""


def _read(rows: Rows) -> list[TreeNode]:
    return [_node(row) for row in rows]


def _node(row: Sequence[Any]) -> TreeNode:
    values = list(row)
    values[-2] = None if row[-2] is None else JobState(row[-2])
    return TreeNode(*values)
