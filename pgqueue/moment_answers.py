"""What is answered about other times: how it was at a moment, and how it would go; as answers.py by whichever door."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pgqueue.forecast import NOTE, Basis, Course
from pgqueue.store.audit import Act
from pgqueue.store.moments import RanThen, Then


@dataclass(frozen=True, slots=True)
class QueueThen:
    """How full a queue was, as noted, and jobs a minute that ended and attempts that failed; null is not known."""

    queue: str
    ready: int | None
    later: int | None
    running: int | None
    dead: int | None
    oldest: float | None
    out_per_min: float
    failed_per_min: float


@dataclass(frozen=True, slots=True)
class ThenAnswer:
    """How it was: sums of all queues, `noted` last before then, as of the end of `span` seconds; null is not known."""

    at: datetime
    noted: datetime | None
    span: int | None
    ready: int | None
    later: int | None
    running: int | None
    dead: int | None
    oldest: float | None
    in_per_min: float | None
    out_per_min: float
    failed_per_min: float
    exact: bool
    queues: list[QueueThen]


@dataclass(frozen=True, slots=True)
class MomentAnswer:
    """A moment beside a week before and now; `ran` are attempts that ran then and have ended, `acts` what was done."""

    then: ThenAnswer
    week_before: ThenAnswer
    now: ThenAnswer
    ran: RanThen | None
    acts: list[Act]


@dataclass(frozen=True, slots=True)
class CourseAnswer:
    """Jobs a minute in and out, and in how many seconds no job waits: null is never."""

    slots: int
    in_per_min: float
    out_per_min: float
    busy: float
    drain: float | None
    soonest: float | None
    latest: float | None


@dataclass(frozen=True, slots=True)
class ForecastAnswer:
    """How a queue goes `now`, and would go `then`; null if nothing ended. A job takes `run` seconds of a slot."""

    queue: str
    ready: int
    paused: bool
    run: float | None
    now: CourseAnswer | None
    then: CourseAnswer | None
    note: str


def moment_answer(then: Then, week_before: Then, now: Then, ran: RanThen | None, acts: Sequence[Act]) -> MomentAnswer:
    """A moment."""
    return MomentAnswer(then_answer(then), then_answer(week_before), then_answer(now), ran, list(acts))


def then_answer(then: Then) -> ThenAnswer:
    """One of the three."""
    return ThenAnswer(
        then.at,
        then.noted,
        then.span,
        then.ready,
        then.later,
        then.running,
        then.dead,
        then.oldest,
        then.in_per_min,
        then.out_per_min,
        then.failed_per_min,
        then.exact,
        _queues(then),
    )


def forecast_answer(queue: str, basis: Basis, now: Course | None, then: Course | None) -> ForecastAnswer:
    """A forecast."""
    return ForecastAnswer(queue, basis.ready, basis.paused, basis.run, _course(now), _course(then), NOTE)


def _queues(then: Then) -> list[QueueThen]:
    """The fullest first, then those of which only what ended is known."""
    ended = {each.queue: (each.out_per_min, each.failed_per_min) for each in then.ended}
    rows = [
        QueueThen(
            each.queue,
            each.ready,
            each.later,
            each.running,
            each.dead,
            each.oldest,
            *ended.pop(each.queue, (0.0, 0.0)),
        )
        for each in then.depths
    ]
    return [*rows, *(QueueThen(name, None, None, None, None, None, *speed) for name, speed in ended.items())]


def _course(course: Course | None) -> CourseAnswer | None:
    if course is None:
        return None
    into, out = 60 * course.into, 60 * course.out
    return CourseAnswer(course.slots, into, out, course.busy, course.drain, course.soonest, course.latest)
