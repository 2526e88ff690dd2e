"""Short ways to rules, keyed claims and what they leave behind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from pgqueue.job import Claim
from pgqueue.store import execute, keyed
from pgqueue.store.keyed import KeyedSlot, KeyedStep, Look
from tests.factories import Conn, epoch


def rule(conn: Conn, scope: str, name: str, **numbers: Any) -> None:
    """Set a rule by hand: `rule(conn, "key", "tenant:*", concurrency=2)`."""
    columns = ["scope", "name", *numbers]
    values = ", ".join(["%s"] * len(columns))
    conn.execute(f"delete from pgqueue.limits where scope = '{scope}' and name = %s", [name])
    conn.execute(
        f"insert into pgqueue.limits ({', '.join(columns)}) values ({values})", [scope, name, *numbers.values()]
    )
    if scope == "queue":
        conn.execute(
            "insert into pgqueue.queues (name, limited) values (%s, true)"
            " on conflict (name) do update set limited = true",
            [name],
        )


def claim_keyed(
    conn: Conn,
    worker: int,
    limit: int = 100,
    *,
    free: int | None = None,
    visits: int = 1000,
    look: Look | None = Look(None),  # noqa: B008  # frozen
    slots: Sequence[KeyedSlot] = (),
    at: int | None = None,
) -> KeyedStep:
    """Claim keyed jobs as a worker does, of all queues."""
    return execute(
        conn,
        keyed.claim(
            worker,
            epoch(conn, worker) if at is None else at,
            slots,
            limit,
            free=limit if free is None else free,
            visits=visits,
            look=look,
        ),
    )


def take_keyed(conn: Conn, worker: int, limit: int = 100, **options: Any) -> list[Claim]:
    """What such a claim brings."""
    return claim_keyed(conn, worker, limit, **options).step.claims


def holds(conn: Conn) -> dict[str, int]:
    """How many shares are taken of each limit."""
    return dict(conn.execute("select name, count(*)::int from pgqueue.holds group by name").fetchall())


def stray_holds(conn: Conn) -> int:
    """Shares whose job does not run under them, and running jobs without the share that they say they have."""
    row = conn.execute(
        """
        select (select count(*) from pgqueue.holds as h
                where h.job_id is not null and not exists (
                  select from pgqueue.jobs as j where j.id = h.job_id and j.hold = h.seq and j.worker is not null))
             + (select count(*) from pgqueue.jobs as j
                where j.hold is not null and not exists (
                  select from pgqueue.holds as h where h.job_id = j.id and h.seq = j.hold))
        """
    ).fetchone()
    assert row is not None
    return int(row[0])


def most_at_once(conn: Conn, column: str = "limit_key") -> Counter[str]:
    """Of each key (or target, or queue): how many attempts ran at one moment, at most, as their rows say.

    A running job counts from its claim on, an ended attempt until its end was written.
    """
    rows = conn.execute(
        f"""
        select a.{column}, a.started_at, a.finished_at from (
          select coalesce(a.limit_key, j.limit_key, e.limit_key) as limit_key, a.target, a.queue, a.started_at,
                 a.finished_at
          from pgqueue.attempts as a
          left join pgqueue.jobs as j on j.id = a.job_id
          left join lateral (
            select limit_key from pgqueue.attempts as e where e.job_id = a.job_id and e.limit_key is not null
            limit 1) as e on true
          where a.started_at is not null
          union all
          select j.limit_key, j.target, j.queue, j.started_at, null from pgqueue.jobs as j where j.worker is not null
        ) as a
        where a.{column} is not null
        """
    ).fetchall()
    most: Counter[str] = Counter()
    now: Counter[str] = Counter()
    # What ends at a moment has ended before what starts at it.
    moments = [(row[1], 1, row[0]) for row in rows] + [(row[2], 0, row[0]) for row in rows if row[2] is not None]
    for _, begins, name in sorted(moments):
        now[name] += 1 if begins else -1
        most[name] = max(most[name], now[name])
    return most
