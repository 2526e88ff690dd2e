"""Alarms of `pgqueue status`, for cron and Nagios: one line that says what is wrong, and an exit code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import typer

from pgqueue import globs
from pgqueue.cli.output import print_json, rounded
from pgqueue.cli.status_page import Snapshot, as_values
from pgqueue.printable import in_one_line

# A queue that is named by none.
ANY = ""
# A line that names all of a thousand queues helps nobody.
MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Alarms:
    """What must not be; `max_depth` by queue, ANY stands for those that it does not name."""

    max_age: timedelta | None
    max_dead: int | None
    max_depth: Mapping[str, int]
    need_workers: bool

    @property
    def wanted(self) -> bool:
        """Whether any was asked for."""
        return self.max_age is not None or self.max_dead is not None or bool(self.max_depth) or self.need_workers

    def told(self, found: Snapshot, *, as_json: bool) -> bool:
        """Print one line, or JSON; whether anything is wrong."""
        wrong = self.wrong(found)
        if as_json:
            print_json({**as_values(found), "alarms": wrong})
        else:
            typer.echo(self.in_one_line(wrong))
        return bool(wrong)

    def wrong(self, found: Snapshot) -> list[str]:
        """What is wrong, in words."""
        return list(self._wrong(found))

    def in_one_line(self, wrong: Sequence[str]) -> str:
        """The line for people and Nagios."""
        more = f"; and {len(wrong) - MOST_NAMED} more" if len(wrong) > MOST_NAMED else ""
        return in_one_line(f"ALARM: {'; '.join(wrong[:MOST_NAMED])}{more}" if wrong else "OK")

    def _wrong(self, found: Snapshot) -> Iterator[str]:
        alive = [worker for worker in found.workers if worker.alive]
        if self.need_workers and not alive:
            yield "no worker is alive"
        if found.queues is None:
            yield "the jobs could not be looked at in time"
            return
        dead = sum(row.dead for row in found.queues)
        if self.max_dead is not None and dead > self.max_dead:
            yield f"{_jobs(dead)} dead, more than {self.max_dead:,}"
        for row in found.queues:
            age, limit = row.oldest_ready_age, self.max_depth.get(row.queue, self.max_depth.get(ANY))
            if self.max_age is not None and age is not None and age > self.max_age:
                yield f"a job of {row.queue} has been ready for {rounded(age)}, longer than {rounded(self.max_age)}"
            if limit is not None and row.ready > limit:
                yield f"{_jobs(row.ready)} ready in {row.queue}, more than {limit:,}"
            if self.need_workers and alive and row.ready and not any(globs.serves(w.queues, row.queue) for w in alive):
                yield f"no worker serves {row.queue}, where {_jobs(row.ready)} ready"


def _jobs(many: int) -> str:
    return "1 job is" if many == 1 else f"{many:,} jobs are"


def limits_of(said: Sequence[str]) -> dict[str, int]:
    """`mail=10000` or `10000` as limits by queue."""
    limits = {}
    for each in said:
        queue, _, number = each.rpartition("=")
        if not number.isdecimal():
            raise typer.BadParameter(f"a depth reads like 10000 or mail=10000, got {each!r}", param_hint="--max-depth")
        limits[queue] = int(number)
    return limits
