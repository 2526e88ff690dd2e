"""Which jobs follow others: those of a task, told by workers before any of its jobs runs; and those of one job."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any
from uuid import UUID

from pgqueue.codec import encode_args
from pgqueue.job import NewJob
from pgqueue.store.kept_args import kept_args
from pgqueue.store.statement import Statement, nothing


def declare(follows: Iterable[tuple[str, str]], others: Collection[str]) -> Statement[None]:
    """A worker says what follows the jobs of its tasks, by target, and which of them nothing does. O(tasks log n)."""
    told = sorted(follows)
    params = ([target for target, _ in told], [said for _, said in told], sorted(others))
    return Statement("select pgqueue.declare_follow_ups($1::text[], $2::text[], $3::text[])", params, nothing)


def add(job_id: UUID, awaited: str, target: str, args: Mapping[str, Any]) -> Statement[None]:
    """A job that has not ended is to be followed, when it has `succeeded`, is `dead`, or at its `end`. O(log n)."""
    sql = "select pgqueue.add_follow_up($1::uuid, $2::text, $3::text, $4::json)"
    kept = kept_args(NewJob(target, args), encode_args(args), None)
    return Statement(sql, (job_id, awaited, target, kept), nothing)


def lock(job_id: UUID) -> Statement[None]:
    """Have a job not end before the transaction does; nothing if it has ended. Walks jobs_pkey; O(log n)."""
    return Statement("select from pgqueue.jobs where id = $1::uuid for no key update", (job_id,), nothing)
