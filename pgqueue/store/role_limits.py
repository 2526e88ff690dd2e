"""Limits of roles: how often, how much and into how many queues they may enqueue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pgqueue.rate import Rate
from pgqueue.store.statement import Statement, only_value

# The role whose limits are those of all.
ALL = "*"
# What a limit may say, as set_role_limit.sql has it; see rate.py for the jobs of a rate.
MOST_QUEUES, MOST_HELD, MOST_BYTES = 1_000_000, 1_000_000, 2**30 - 1


@dataclass(frozen=True, slots=True)
class RoleLimit:
    """What a role may enqueue; None: as much as it likes. `role` is `*` for every role.

    `rate` reads like `100/s`, and `burst` of them may come at once. `max_queues` is in how many queues jobs may wait
    for it to bring a new one, `max_size` how many live jobs a queue may hold, `max_args` the bytes that a job may say.
    """

    role: str
    rate: str | None
    burst: int | None
    max_queues: int | None
    max_size: int | None
    max_args: int | None
    changed_at: datetime


def put(
    role: str,
    rate: str | None,
    burst: int | None,
    max_queues: int | None,
    max_size: int | None,
    max_args: int | None,
) -> Statement[bool]:
    """What is said of a role; None leaves a field as it is, 0 and `none` lift it. True if it had no limit."""
    sql = """
    select pgqueue.set_role_limit(
      $1::pg_catalog.text, $2::pg_catalog.text, $3::pg_catalog.int4, $4::pg_catalog.int4, $5::pg_catalog.int4,
      $6::pg_catalog.int4)
    """
    return Statement(sql, (role, rate, burst, max_queues, max_size, max_args), only_value)


def remove(role: str) -> Statement[bool]:
    """A role's limit goes; False if it has none. O(log n)."""
    return Statement("select pgqueue.remove_role_limit($1::pg_catalog.text)", (role,), only_value)


def rows(limit: int, after: str = "") -> Statement[list[RoleLimit]]:
    """The limits of the roles behind one, in order, at most so many. Walks role_limits_pkey."""
    return Statement(_ROWS, (after, limit), lambda rows: [_read(row) for row in rows])


def get(role: str) -> Statement[RoleLimit | None]:
    """The limit of one role; None if it has none of its own. Walks role_limits_pkey."""
    return Statement(_GET, (role,), lambda rows: _read(rows[0]) if rows else None)


_COLUMNS = "l.role, l.jobs, l.period, l.burst, l.max_queues, l.max_size, l.max_args, l.changed_at"
_ROWS = f"""
select {_COLUMNS}
from pgqueue.role_limits as l
where l.role operator(pg_catalog.>) $1::pg_catalog.text
order by l.role
limit $2::pg_catalog.int4
"""
_GET = f"select {_COLUMNS} from pgqueue.role_limits as l where l.role operator(pg_catalog.=) $1::pg_catalog.text"


def _read(row: Sequence[Any]) -> RoleLimit:
    role, jobs, period, *rest = row
    return RoleLimit(role, None if jobs is None else str(Rate(jobs, period)), *rest)
