"""What a bulk action is: which jobs are meant, in which states, and how it is begun."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from pgqueue.errors import OptionError
from pgqueue.job import JobState
from pgqueue.search import Query, narrowed, parse_kept
from pgqueue.search.narrowing import HIGHEST
from pgqueue.store import audit, execute, operations, searching, secrecy
from pgqueue.store.operations import Operation

# Jobs of one batch, which is a transaction: short enough to be in nobody's way.
BATCH = 500
WAITING = frozenset({JobState.SCHEDULED, JobState.READY, JobState.RETRYING})
# In which states a job must be for each kind of operation.
STATES = {
    "cancel": WAITING | {JobState.RUNNING, JobState.MANUAL, JobState.WAITING},
    "retry": frozenset({JobState.DEAD, JobState.RETRYING, JobState.SCHEDULED, JobState.MANUAL}),
    "bury": WAITING,
    "purge": frozenset({JobState.DEAD}),
    "priority": WAITING,
}
# What became of the jobs of each kind.
PAST = {"cancel": "cancelled", "retry": "retried", "bury": "buried", "purge": "purged", "priority": "changed"}
Conn = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """An operation to be: what is done to which jobs, seen from `made_at`; by whom, and why."""

    kind: str
    filter: str
    made_at: datetime
    who: str
    via: str
    priority: int | None = None
    rate: float | None = None
    trial: int | None = None
    most_failing: float | None = None
    detached: bool = False
    reason: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in STATES:
            raise OptionError(f"an operation is {', '.join(STATES)}, got {self.kind!r}")
        if self.rate is not None and not 0 < self.rate <= 1_000_000:
            raise OptionError(f"a rate is more than 0 and at most 1,000,000 a second, got {self.rate:g}")
        if self.trial is not None and (self.kind != "retry" or not 1 <= self.trial <= BATCH):
            raise OptionError(f"a trial is of 1 to {BATCH} jobs that are retried, got {self.trial} of {self.kind}")


def asked(kind: str, filter_text: str, made_at: datetime) -> Query:
    """The jobs that an operation is about: those that the query finds in states that it is for. Raises UsageError."""
    parse_kept(filter_text, made_at)
    return parse_kept(f"{filter_text} state:{','.join(sorted(STATES[kind]))}", made_at)


def shown_to(conn: Conn, query: Query) -> searching.Shown | None:
    """What a query sees of jobs: a count must not tell what is shown nowhere."""
    return secrecy.searching_by(conn, query)


def begin(conn: Conn, plan: Plan) -> int:
    """Write an operation and its audit down; answers its number. `conn` is in autocommit mode."""
    asked(plan.kind, plan.filter, plan.made_at)
    with conn.transaction():
        number = execute(
            conn,
            operations.create(
                plan.kind,
                plan.filter,
                priority=plan.priority,
                rate=plan.rate,
                detached=plan.detached,
                trial=plan.trial,
                most_failing=plan.most_failing,
                who=plan.who,
                via=plan.via,
                reason=plan.reason,
                made_at=plan.made_at,
            ),
        )
        action = f"operation {number}: {plan.kind}" + ("" if plan.priority is None else f" {plan.priority}")
        execute(conn, audit.write(plan.who, plan.via, action, filter_text=plan.filter, reason=plan.reason))
    return number


def get(conn: Conn, number: int) -> Operation | None:
    """One operation; None if there is none with this number."""
    found = execute(conn, operations.newest(number + 1, 1))
    return found[0] if found and found[0].id == number else None


def top(operation: Operation, query: Query) -> UUID:
    """Above every job that there was when the operation was made, as far as ids tell; above all if they are named."""
    if narrowed(query).ids is not None:
        return HIGHEST
    milliseconds = int(operation.made_at.timestamp() * 1000) + 1
    return UUID(int=milliseconds << 80 | 0x7 << 76 | 0x2 << 62)
