"""Limits: what people and code say of them, and which one rules a key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pgqueue.rate import MOST_STARTS, Rate, rate_of
from pgqueue.store.statement import Statement, nothing, only_value, query

# What a limit may say, as set_limit.sql has it; see rate.py for the starts of a rate.
MOST, MOST_WEIGHT = 1_000_000, 100
# Jobs of a queue, as set_max_size.sql has it.
MOST_HELD = 100_000_000

__all__ = [
    "MOST",
    "MOST_HELD",
    "MOST_STARTS",
    "MOST_WEIGHT",
    "LimitRow",
    "LimitUse",
    "get",
    "put",
    "put_size",
    "remove",
    "rows",
    "rule_of",
    "size_of",
    "use_of",
]


@dataclass(frozen=True, slots=True)
class LimitRow:
    """A limit as people see it: a row of `pgqueue.limits`. `source` is the app that declared it, None for by hand.

    `in_use`: how many shares are taken, a thousand at most; of `tenant:*` those of all its keys together. Where one is
    asked for it is None: see use_of().
    """

    scope: str
    name: str
    concurrency: int | None
    rate: str | None
    burst: int | None
    weight: int
    ordered: bool
    on_dead: str
    source: str | None
    changed_at: datetime
    in_use: int | None


@dataclass(frozen=True, slots=True)
class LimitUse:
    """How much of a limit is in use: shares, starts that its rate counts now, jobs that wait in line for a key.

    A thousand of each at most. None is not known, or has no use.
    """

    shares: int
    starts: int | None
    waiting: int | None


def put(
    scope: str,
    name: str,
    concurrency: int | None,
    rate: str | None,
    burst: int | None,
    weight: int | None,
    ordered: bool | None,
    on_dead: str | None,
) -> Statement[bool]:
    """What is said of a limit by hand; None leaves a field as it is, 0 and `none` lift it. True if it is new."""
    sql = """
    select pgqueue.set_limit(
      $1::pg_catalog.text, $2::pg_catalog.text, $3::pg_catalog.int4, $4::pg_catalog.text, $5::pg_catalog.int4,
      $6::pg_catalog.int4, $7::boolean, $8::pg_catalog.text)
    """
    return Statement(sql, (scope, name, concurrency, rate, burst, weight, ordered, on_dead), only_value)


def remove(scope: str, name: str) -> Statement[bool]:
    """A limit goes; False if there is none of this name. O(log n)."""
    return Statement("select pgqueue.remove_limit($1::pg_catalog.text, $2::pg_catalog.text)", (scope, name), only_value)


def rows(limit: int, after: tuple[str, str] = ("", "")) -> Statement[list[LimitRow]]:
    """The limits behind one (scope, name), in order, at most so many. Walks limits_pkey."""
    return Statement(query("limits"), (*after, limit), lambda rows: [_read(row) for row in rows])


def get(scope: str, name: str) -> Statement[LimitRow | None]:
    """One limit; None if there is none of this name. Walks limits_pkey."""
    return Statement(query("limit"), (scope, name), lambda rows: _read(rows[0]) if rows else None)


def rule_of(key: str) -> Statement[LimitRow | None]:
    """The limit that rules a limit key; None if none does. A probe for each character of the key."""
    return Statement(query("limit_of_key"), (key,), lambda rows: _read(rows[0]) if rows else None)


def use_of(scope: str, name: str, rate: str | None) -> Statement[LimitUse]:
    """How much of a limit is in use by one key, task or queue; `rate` is the limit's. O(queues log n)."""
    said = None if rate is None else rate_of(rate)
    params = (f"{scope[0]}:{name}", None if said is None else said.starts, None if said is None else said.period)
    return Statement(query("limit_use"), params, lambda rows: LimitUse(*rows[0]))


def put_size(queue: str, max_size: int | None, on_full: str | None) -> Statement[None]:
    """How many live jobs a queue may hold; None or 0 lifts it. What on_full does not say stays."""
    sql = "select pgqueue.set_max_size($1::pg_catalog.text, $2::pg_catalog.int4, $3::pg_catalog.text)"
    return Statement(sql, (queue, max_size, on_full), nothing)


def size_of(queue: str) -> Statement[tuple[int, str] | None]:
    """How many live jobs a queue may hold, and what happens when it does; None if any number."""
    sql = """
    select q.max_size, q.on_full from pgqueue.queues as q
    where q.name operator(pg_catalog.=) $1::pg_catalog.text and q.max_size is not null
    """
    return Statement(sql, (queue,), lambda rows: (rows[0][0], rows[0][1]) if rows else None)


def _read(row: Sequence[Any]) -> LimitRow:
    scope, name, concurrency, starts, period, *rest = row
    rate = None if starts is None else str(Rate(starts, period))
    return LimitRow(scope, name, concurrency, rate, *rest)
