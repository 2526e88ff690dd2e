"""What `pgqueue at` prints: three moments beside each other, the queues, what ran, what was done."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

import typer

from pgqueue.cli.errors import say
from pgqueue.cli.numbers import Estimate
from pgqueue.cli.output import Columns, paint, print_list, rounded, written
from pgqueue.cli.spans import brief_seconds, per_minute
from pgqueue.printable import in_one_line
from pgqueue.store.audit import Act
from pgqueue.store.moments import RELEASE, Then

if TYPE_CHECKING:
    from pgqueue.cli.at import Moment

# Queues that are told; --json has all.
MOST_QUEUES = 12
# What was noted longer before a moment is told to be.
FRESH = timedelta(minutes=3)


@dataclass(frozen=True, slots=True)
class _Fact:
    """A number at three moments."""

    name: str
    then: object
    week_before: object
    now: object


class _Queue(NamedTuple):
    queue: str
    ready: int | None
    later: int | None
    running: int | None
    dead: int | None
    oldest: str | None
    out: object
    failed: object


class _Ran(NamedTuple):
    id: UUID
    queue: str
    target: str
    started_at: datetime | None
    ran: timedelta | None
    ended: str
    worker: int | None


FACTS: Columns[_Fact] = {
    "": lambda row: row.name,
    "THEN": lambda row: row.then,
    "A WEEK BEFORE": lambda row: row.week_before,
    "NOW": lambda row: row.now,
}
QUEUES: Columns[_Queue] = {
    "QUEUE": lambda row: row.queue,
    "READY": lambda row: row.ready,
    "LATER": lambda row: row.later,
    "RUNNING": lambda row: row.running,
    "DEAD": lambda row: row.dead,
    "OLDEST": lambda row: row.oldest,
    "OUT/MIN": lambda row: row.out,
    "FAILED/MIN": lambda row: row.failed,
}
RAN: Columns[_Ran] = {
    "ID": lambda row: row.id,
    "TARGET": lambda row: row.target,
    "QUEUE": lambda row: row.queue,
    "STARTED": lambda row: row.started_at,
    "RAN": lambda row: row.ran,
    "ENDED": lambda row: row.ended,
    "WORKER": lambda row: row.worker,
}
ACTS: Columns[Act] = {
    "AT": lambda row: row.at,
    "WHO": lambda row: row.who,
    "ACTION": lambda row: row.action,
    "ON": lambda row: row.filter or ", ".join(map(str, row.job_ids or ())),
    "REASON": lambda row: row.reason,
}
_FACTS: dict[str, Callable[[Then], object]] = {
    "ready": lambda then: _counted(then, then.ready),
    "later": lambda then: _counted(then, then.later),
    "running": lambda then: _counted(then, then.running),
    "dead": lambda then: _counted(then, then.dead),
    "oldest wait": lambda then: brief_seconds(then.oldest),
    "in a minute": lambda then: per_minute(then.in_per_min),
    "out a minute": lambda then: per_minute(then.out_per_min),
    "failed a minute": lambda then: per_minute(then.failed_per_min),
}


def print_moment(found: Moment, now: datetime) -> None:
    """Print it for people."""
    typer.echo(f"{written(found.then.at)} {found.then.at.astimezone():%Z}, {rounded(now - found.then.at)} ago\n")
    facts = [
        _Fact(name, *(_or_dash(read(each)) for each in (found.then, found.week_before, found.now)))
        for name, read in _FACTS.items()
    ]
    print_list(facts, FACTS, as_json=False, empty="")
    if note := _noted(found.then):
        say(note)
    queues = list(_queues(found.then))
    if queues:
        _title("Queues then")
        print_list(queues[:MOST_QUEUES], QUEUES, as_json=False, empty="")
        if len(queues) > MOST_QUEUES:
            say(f"these are the fullest of {len(queues)}; --json has all")
    _title("Ran then")
    print_list(list(_ran(found)), RAN, as_json=False, empty="Nothing that was found.")
    if found.ran is not None:
        more = f", of which {len(found.ran.attempts)} are told" if found.ran.ran > len(found.ran.attempts) else ""
        say(
            f"looked at {found.ran.looked:,} attempts of jobs enqueued since {written(found.ran.back_to)}:"
            f" {found.ran.ran:,} ran then{more}; of older jobs no attempt was looked at"
        )
    _print_acts("Releases about then", [act for act in found.acts if act.action == RELEASE], "")
    _print_acts("Done about then", [act for act in found.acts if act.action != RELEASE], "Nothing was done by hand.")


def _title(words: str) -> None:
    typer.echo(f"\n{paint(words, 'bold')}")


def _counted(then: Then, value: int | None) -> int | None:
    return value if value is None or then.exact else Estimate(value)


def _or_dash(value: object) -> object:
    return "–" if value is None else value


def _noted(then: Then) -> str | None:
    """What is to be known of when the depths are of."""
    if then.noted is None:
        return "nobody noted then how full queues were: no worker was at work, or it is too long ago"
    if then.span != 60:
        return (
            f"of then hours are kept, not minutes: depths are of the end of the one that began at {written(then.noted)}"
        )
    if then.at - then.noted > FRESH:
        return (
            f"depths were noted at {written(then.noted)}, and not again until then: nothing waited or ran, or no worker"
            " was at work"
        )
    return None


def _queues(then: Then) -> Iterator[_Queue]:
    ended = {each.queue: each for each in then.ended}
    for each in then.depths:
        speed = ended.pop(each.queue, None)
        if each.ready or each.later or each.running or each.dead or speed:
            yield _Queue(
                each.queue,
                each.ready if each.exact else Estimate(each.ready),
                each.later,
                each.running,
                each.dead,
                brief_seconds(each.oldest),
                per_minute(speed.out_per_min if speed else 0.0),
                per_minute(speed.failed_per_min if speed else 0.0),
            )
    for speed in ended.values():
        out, failed = per_minute(speed.out_per_min), per_minute(speed.failed_per_min)
        yield _Queue(speed.queue, None, None, None, None, None, out, failed)


def _ran(found: Moment) -> Iterator[_Ran]:
    for job in found.still:
        started = job.started_at
        took = None if started is None else found.now.at - started
        yield _Ran(job.id, job.queue, job.target, started, took, "runs still", job.worker)
    for each in found.ran.attempts if found.ran is not None else ():
        took = each.finished_at - each.started_at
        yield _Ran(each.id, each.queue, each.target, each.started_at, took, each.outcome, each.worker)


def _print_acts(title: str, acts: Sequence[Act], empty: str) -> None:
    if acts or empty:
        _title(title)
        columns = {name: cell for name, cell in ACTS.items() if title.startswith("Done") or name in ("AT", "WHO", "ON")}
        print_list(acts, columns, as_json=False, empty=in_one_line(empty))
