"""A job's life as a line: when it was enqueued, each attempt and the waits between them, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pgqueue.job import JobState
from pgqueue.record import Attempt, Job

# Steps on the line; of more attempts the first and the last ones.
FIRST, LAST = 2, 6


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened: `kind` colours it, `wait` lies before it, `took` is how long it lasted itself."""

    kind: str
    name: str
    at: datetime | None
    wait: timedelta | None = None
    took: timedelta | None = None


def steps(job: Job, attempts: Sequence[Attempt]) -> list[Step]:
    """The line of a job, whose newest attempts these are, oldest first."""
    found = [Step("made", "enqueued", job.created_at)]
    before = job.created_at
    for row in attempts:
        begun = row.started_at or row.finished_at
        took = None if row.started_at is None else row.finished_at - row.started_at
        found.append(Step(row.outcome, f"#{row.attempt} {row.outcome}", begun, _between(before, begun), took))
        before = row.finished_at
    if len(found) > FIRST + LAST + 1:
        left_out = found[FIRST:-LAST]
        found[FIRST:-LAST] = [Step("gap", f"{len(left_out)} more", None)]
    return [*found, *_end(job, before)]


def _end(job: Job, before: datetime | None) -> list[Step]:
    now = datetime.now(UTC)
    match job.state:
        case JobState.RUNNING:
            # When it ends is not known, and the page's clock goes on.
            return [Step("running", f"#{job.attempt} running", job.started_at, _between(before, job.started_at))]
        case JobState.MANUAL:
            return [Step("manual", "waits for a human", job.started_at, _between(before, job.started_at))]
        case JobState.WAITING:
            return [Step("waiting", "waits for other jobs", None)]
        case JobState.DEAD:
            return [Step("dead", "dead", job.finished_at)]
        case JobState.SCHEDULED | JobState.RETRYING:
            return [Step(job.state, "due", job.run_at, _between(before, job.run_at))]
        case JobState.READY:
            return [Step("ready", "ready", max(filter(None, (job.run_at, before)), default=now))]
    return []


def _between(first: datetime | None, second: datetime | None) -> timedelta | None:
    return None if first is None or second is None or second < first else second - first
