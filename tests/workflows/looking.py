"""What is asked of workflows in these tests."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg

from pgqueue.testing import drain

Conn = psycopg.Connection[Any]


def finish(conn: Conn) -> None:
    """Run what is due, whatever fails."""
    drain(conn, raises=False, max_jobs=5000)


def states(conn: Conn, workflow: UUID) -> dict[str, list[str]]:
    """The states of the jobs of each node, by its name."""
    rows = conn.execute(
        """
        select node.name, array_agg(job.state order by job.id)
        from (
          select id, node from pgqueue.jobs where workflow_id = %(id)s
          union select id, node from pgqueue.waiting where workflow_id = %(id)s
          union select id, node from pgqueue.dead_jobs where workflow_id = %(id)s
          union select job_id, node from pgqueue.attempts where workflow_id = %(id)s) as member
        join pgqueue.nodes as node on node.workflow_id = %(id)s and node.node = member.node
        join pgqueue.job on job.id = member.id
        group by 1
        """,
        {"id": workflow},
    ).fetchall()
    return dict(rows)


def rows_of(conn: Conn, table: str) -> int:
    """How many rows a table has."""
    row = conn.execute(f"select count(*) from pgqueue.{table}").fetchone()
    assert row is not None
    return int(row[0])


def nothing_was_sent(conn: Conn) -> bool:
    """Whether no row was written."""
    return not any(rows_of(conn, table) for table in ("workflows", "nodes", "gates", "waiting", "jobs"))


def job_of(conn: Conn, workflow: UUID, name: str) -> UUID:
    """The id of the only job of a node."""
    row = conn.execute(
        "select job_id from pgqueue.nodes where workflow_id = %s and name = %s", [workflow, name]
    ).fetchone()
    assert row is not None
    return UUID(str(row[0]))


def first_of(conn: Conn, table: str) -> UUID:
    """The id of the first job in a table."""
    row = conn.execute(f"select id from pgqueue.{table} order by id limit 1").fetchone()
    assert row is not None
    return UUID(str(row[0]))
