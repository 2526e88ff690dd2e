"""The options that a single job can have, as type checkers know them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TypedDict
from uuid import UUID

from pgqueue.job import FollowUps, Notify, OnConflict, Target, Unique, UniqueUntil
from pgqueue.options import Duration


class TaskOptions(TypedDict, total=False):
    """The options that a task can have: they hold for each of its jobs that says nothing else."""

    queue: str | None
    priority: int | None
    ttl: Duration | None
    timeout: Duration | None
    max_attempts: int | None
    unique_key: str | None
    unique: Unique | None
    unique_until: UniqueUntil | None
    unique_for: Duration | None
    on_conflict: OnConflict | None
    max_wait: Duration | None
    cost: int | None
    store_result: bool | None
    labels: Mapping[str, str] | None
    notify: Notify | None
    max_args: int | None


class CallOptions(TaskOptions, total=False):
    """The options that one job can have."""

    delay: Duration | None
    run_at: datetime | None
    limit_key: str | None
    job_id: UUID | None
    on_success: FollowUps | None
    on_failure: FollowUps | None
    on_end: FollowUps | None
    dead_to: Target | None
