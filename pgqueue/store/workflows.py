"""What is asked of workflows that are there, and what is added to them."""

from __future__ import annotations

from uuid import UUID

from pgqueue.store.statement import Statement, only_value

# Jobs that one statement moves: beside slices of 1,000 the p95 of claims was 2.2 times as long, beside those of 250 it
# is 1.1 times (python -m bench.workflows control).
SLICE = 250


def cancel(workflow: UUID, most: int = SLICE, why: str | None = None) -> Statement[int | None]:
    """Have a workflow cancelled; how many jobs this call reached, 0 once all are, None if it is not there.

    Its callbacks are left to their gates. Upkeep goes on by itself. O(most log n).
    """
    sql = "select pgqueue.cancel_workflow($1::pg_catalog.uuid, $2::int, $3::pg_catalog.text)"
    return Statement(sql, (workflow, most, why), only_value)


def retry(workflow: UUID, most: int = SLICE) -> Statement[int | None]:
    """dead -> ready for the members of a workflow; how many this call revived, 0 when there are no more.

    None if it is not there. Upkeep goes on by itself. Raises ObjectNotInPrerequisiteState if it was cancelled.
    O(most log n).
    """
    return Statement("select pgqueue.retry_workflow($1::pg_catalog.uuid, $2::int)", (workflow, most), only_value)


def mend(workflow: UUID) -> Statement[int]:
    """Put right what the gates of a workflow are to count, after damage by hand; how many were wrong. O(workflow)."""
    return Statement("select pgqueue.mend_workflow($1::pg_catalog.uuid)", (workflow,), only_value)


def add(workflow: UUID, node: int, said: str) -> Statement[int]:
    """(nothing) -> ready | waiting for jobs of an open group, told as JSON (write_members.sql); how many.

    O(batch log n). Raises ObjectNotInPrerequisiteState if it was closed.
    """
    sql = "select pgqueue.add_members($1::pg_catalog.uuid, $2::int, $3::pg_catalog.json)"
    return Statement(sql, (workflow, node, said), only_value)


def close(workflow: UUID, node: int) -> Statement[bool]:
    """Nothing is added to an open group any more; False if it was closed before. Waits for who adds. O(log n)."""
    return Statement("select pgqueue.close_group($1::pg_catalog.uuid, $2::int)", (workflow, node), only_value)


def owes() -> Statement[bool]:
    """Whether ends of members wait to be taken up, as somebody had their gates in hand. Reads at most 1,000 rows."""
    return Statement(
        "select exists (select from (select a.again_at from pgqueue.arrivals as a limit 1000) as a"
        " where a.again_at is null or a.again_at operator(pg_catalog.<=) pg_catalog.clock_timestamp())",
        (),
        only_value,
    )
