"""Shares of limits for code outside jobs: taken, and given back."""

from __future__ import annotations

from typing import NamedTuple

from pgqueue.store.statement import Statement, only_value


class Share(NamedTuple):
    """`number` is None if there was none to be had. `again_in` then is when to look again, in seconds, if known."""

    number: int | None
    again_in: float | None


def take(key: str, lease: float, cost: int) -> Statement[Share]:
    """A share of a limit key, for so many seconds, if there is one. O(log n + concurrency)."""
    sql = """
    select seq, extract(epoch from again_at operator(pg_catalog.-) pg_catalog.clock_timestamp())::pg_catalog.float8
    from pgqueue.hold($1::pg_catalog.text, $2::pg_catalog.float8, $3::pg_catalog.int4)
    """
    return Statement(sql, (key, lease, cost), lambda rows: Share(*rows[0]))


def give_back(key: str, number: int) -> Statement[bool]:
    """A share goes back; False if its lease was over. O(log n)."""
    sql = "select pgqueue.let_go_of($1::pg_catalog.text, $2::pg_catalog.int8)"
    return Statement(sql, (key, number), only_value)
