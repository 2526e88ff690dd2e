"""Feeds: iterators that are streamed into the queue, how far each has come, and who feeds it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pgqueue.store.direct import Rows
from pgqueue.store.statement import Statement, only_value, query


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed as people see it; `waiting` are its jobs that have not ended, `cursor` is that of the last item fed.

    `state` is feeding, stopped (go on with it), failed (its iterator raised `error`) or finished.
    """

    name: str
    source: str
    target: str
    state: str
    items: int
    cursor: Any
    waiting: int
    buffer: int
    host: str | None
    pid: int | None
    error: str | None
    created_at: datetime
    fed_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Taken:
    """What a process met that wants to feed: whether it may, and where the feed stands; who feeds it, if not."""

    taken: bool
    source: str
    items: int
    cursor: Any
    host: str | None
    pid: int | None
    finished_at: datetime | None


def take(
    name: str,
    source: str,
    target: str,
    buffer: int,
    feeder: int,
    at: tuple[str, int],
    *,
    pooled: bool,
    again: bool,
) -> Statement[Taken | None]:
    """Become the feeder of a feed, which is made if there is none; None if somebody removed it meanwhile. O(1)."""
    params = (name, source, target, buffer, feeder, *at, pooled, again)
    return Statement(_TAKE, params, _read_taken)


_TAKE = """
select taken, (feed).source, (feed).items, (feed).cursor::text, (feed).host, (feed).pid, (feed).finished_at
from pgqueue.take_feed($1::text, $2::text, $3::text, $4::int, $5::bigint, $6::text, $7::int, $8::boolean, $9::boolean)
where (feed).name is not null
"""


def _read_taken(rows: Rows) -> Taken | None:
    if not rows:
        return None
    taken, source, items, cursor, *rest = rows[0]
    return Taken(taken, source, items, _loaded(cursor), *rest)


def hold(name: str, feeder: int, *, pooled: bool) -> Statement[int | None]:
    """Go on in a new session; answers the items fed, -1 while the old session lingers, None if another feeds. O(1)."""
    sql = "select pgqueue.hold_feed($1::text, $2::bigint, $3::boolean)"
    return Statement(sql, (name, feeder, pooled), lambda rows: rows[0][0] if rows else None)


def forward(name: str, feeder: int, cursor: Any, ids: Sequence[UUID]) -> Statement[bool]:
    """Say, in the transaction that enqueued these jobs, how far the feed is; False if another feeds it. O(1)."""
    text = None if cursor is None else json.dumps(cursor, ensure_ascii=False)
    sql = "select pgqueue.forward_feed($1::text, $2::bigint, $3::json, $4::uuid[])"
    return Statement(sql, (name, feeder, text, list(ids)), only_value)


def room(name: str, feeder: int, buffer: int, wanted: int) -> Statement[int | None]:
    """How many jobs of the feed have not ended, counted until `wanted` more fit; None if another feeds it.

    O(buffer log n).
    """
    sql = "select pgqueue.feed_room($1::text, $2::bigint, $3::int, $4::int)"
    return Statement(sql, (name, feeder, buffer, wanted), only_value)


def leave(name: str, feeder: int, *, finished: bool, error: str | None = None) -> Statement[bool]:
    """End: the feed is finished, or stands where it is; False if another feeds it. O(batches)."""
    sql = "select pgqueue.leave_feed($1::text, $2::bigint, $3::boolean, $4::text)"
    return Statement(sql, (name, feeder, finished, error), only_value)


def listed(name: str | None = None) -> Statement[list[Feed]]:
    """All feeds by name, or one; with one probe for each of their jobs that may live."""
    return Statement(query("feeds"), (name,), lambda rows: [_read(row) for row in rows])


def remove(name: str) -> Statement[bool]:
    """Forget a feed, not its jobs; who feeds it stops at its next batch. Answers whether there was one."""
    sql = """
    with gone as (delete from pgqueue.feeds where name = $1::text returning name),
         batches as (delete from pgqueue.feed_batches where feed = $1::text)
    select pg_catalog.count(*) > 0 from gone
    """
    return Statement(sql, (name,), only_value)


def _read(row: Sequence[Any]) -> Feed:
    name, source, target, state, items, cursor, *rest = row
    return Feed(name, source, target, state, items, _loaded(cursor), *rest)


def _loaded(cursor: str | None) -> Any:
    return None if cursor is None else json.loads(cursor)
