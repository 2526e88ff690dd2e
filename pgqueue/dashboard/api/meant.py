"""Which jobs a bulk action is meant for, as its preview says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pgqueue import operations
from pgqueue.dashboard.actions.meant import Meant
from pgqueue.dashboard.api.reads.jobs import JobListed, job_listed
from pgqueue.dashboard.pages.job_filters import as_shown
from pgqueue.redaction import Redaction


@dataclass(frozen=True, slots=True)
class MeantAnswer:
    """How many jobs a bulk action would touch, and some of them; there may be more unless `whole`.

    `left` are those that the query asks for and that are in another state, `kept` those that a live job's unique key
    keeps dead. What comes after `made_at` is not meant. Where `has_to_be_typed`, the act needs `count` in `typed`.
    """

    count: int
    whole: bool
    states: Mapping[str, int]
    left: Mapping[str, int]
    kept: int
    looked: int
    samples: list[JobListed]
    made_at: datetime
    has_to_be_typed: bool
    has_workers: bool


def meant_answer(meant: Meant, redaction: Redaction) -> MeantAnswer:
    """A preview."""
    seen = meant.seen
    return MeantAnswer(
        seen.count,
        seen.whole,
        seen.states,
        seen.left,
        seen.kept,
        seen.looked,
        [job_listed(as_shown(row, redaction), redaction) for row in meant.samples],
        meant.made_at,
        operations.is_to_be_typed(seen),
        meant.has_workers,
    )
