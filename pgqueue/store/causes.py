"""Causes: why jobs fail, one for all failures of a kind, and what people say of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from pgqueue.store.statement import Statement, only_value

MOST_LISTED = 1_000


@dataclass(frozen=True, slots=True)
class Cause:
    """Why jobs of one task fail.

    `state` is new, regression (met again since it was resolved), resolved, muted, or None. `dead` jobs have it, counted
    up to 1,000, then there are `more`; so many `failures` were counted lately.
    """

    cause: str
    state: str | None
    target: str | None
    error_type: str | None
    error: str | None
    title: str | None
    note: str | None
    assignee: str | None
    first_at: datetime | None
    last_at: datetime | None
    muted_until: datetime | None
    resolved_at: datetime | None
    resolved_release: str | None
    dead: int
    more: bool
    failures: int


def listed(within: timedelta = timedelta(days=1)) -> Statement[list[Cause]]:
    """Causes of dead jobs, and those that were met within a time, the last met first. At most 1,000 of each."""
    return Statement(_LIST, (within, MOST_LISTED), lambda rows: [Cause(*row) for row in rows])


_LIST = """
select cause, state, target, error_type, error, title, note, assignee, first_at, last_at, muted_until, resolved_at,
       resolved_release, dead, more, failures
from pgqueue.cause_list($1::interval, $2::int)
"""


def one(cause: str, within: timedelta = timedelta(days=1)) -> Statement[Cause | None]:
    """A single cause. As listed(), with index probes alone."""
    return Statement(_ONE, (within, cause), lambda rows: Cause(*rows[0]) if rows else None)


_ONE = """
select cause, state, target, error_type, error, title, note, assignee, first_at, last_at, muted_until, resolved_at,
       resolved_release, dead, more, failures
from pgqueue.one_cause($2::text, $1::interval)
"""


@dataclass(frozen=True, slots=True)
class NewCause:
    """A cause that was first met lately, or again after it was resolved; how often since."""

    cause: str
    state: str
    target: str
    error_type: str | None
    failures: int


def new(within: timedelta, limit: int) -> Statement[list[NewCause]]:
    """Causes first met within a time, and regressions; the most frequent first. Walks causes_first, tallies_cause."""
    return Statement(_NEW, (within, limit), lambda rows: [NewCause(*row) for row in rows])


_NEW = """
select cause, state, target, error_type, failures
from (
  (select known.cause, 'new' as state, known.target, known.error_type,
          (select coalesce(sum(met.n), 0) from (
             select t.n from pgqueue.tallies as t
             where t.cause = known.cause and t.minute >= now() - $1::interval - interval '1 minute'
             limit 1000) as met)::bigint as failures
   from pgqueue.causes as known
   where known.first_at > now() - $1::interval and (known.muted_until is null or known.muted_until < now())
     and known.resolved_at is null
   order by known.first_at desc limit 200)
  union all
  (select again.cause, 'regression', again.target, again.error_type,
          (select coalesce(sum(met.n), 0) from (
             select t.n from pgqueue.tallies as t
             where t.cause = again.cause and t.minute >= now() - $1::interval - interval '1 minute'
             limit 1000) as met)::bigint
   from (select c.* from pgqueue.causes as c where c.resolved_at is not null order by c.resolved_at desc limit 200)
     as again
   where (again.muted_until is null or again.muted_until < now())
     and pgqueue.last_met(again.cause) >= greatest(again.resolved_at, now() - $1::interval - interval '1 minute'))
) as found
order by failures desc, cause
limit $2::int
"""


def matching(prefix: str, limit: int) -> Statement[list[str]]:
    """The causes that begin so. Walks causes_pkey and dead_jobs_cause."""
    return Statement(_MATCHING, (prefix, limit), lambda rows: [row[0] for row in rows])


_MATCHING = """
(select known.cause from pgqueue.causes as known
 where known.cause >= $1::text and known.cause < $1 || 'g' order by known.cause limit $2::int)
union
(select d.cause from pgqueue.dead_jobs as d
 where d.cause >= $1 and d.cause < $1 || 'g' order by d.cause limit 1)
limit $2
"""


def mute(cause: str, until: timedelta | None) -> Statement[bool]:
    """Say nothing of it for so long (None: say it again); False if there is no such cause. Walks causes_pkey."""
    sql = """
    with said as (
      update pgqueue.causes as known set muted_until = now() + $2::interval where known.cause = $1::text returning 1)
    select exists (select from said)
    """
    return Statement(sql, (cause, until), only_value)


def resolve(cause: str, release: str | None) -> Statement[bool]:
    """It should not be met any more, from a release on; False if there is no such cause. Walks causes_pkey."""
    sql = """
    with said as (
      update pgqueue.causes as known set resolved_at = now(), resolved_release = $2::text, muted_until = null
      where known.cause = $1::text returning 1)
    select exists (select from said)
    """
    return Statement(sql, (cause, release), only_value)


def reopen(cause: str) -> Statement[bool]:
    """It is not resolved after all; False if there is no such cause."""
    sql = """
    with said as (
      update pgqueue.causes as known set resolved_at = null, resolved_release = null
      where known.cause = $1::text returning 1)
    select exists (select from said)
    """
    return Statement(sql, (cause,), only_value)


def describe(
    cause: str, title: str | None = None, note: str | None = None, assignee: str | None = None
) -> Statement[bool]:
    """What people say of it; None stays as it is. False if there is no such cause."""
    sql = """
    with said as (
      update pgqueue.causes as known
      set title = coalesce($2::text, title), note = coalesce($3::text, note), assignee = coalesce($4::text, assignee)
      where known.cause = $1::text returning 1)
    select exists (select from said)
    """
    return Statement(sql, (cause, title, note, assignee), only_value)


def find(most: int) -> Statement[int]:
    """Compute the causes of dead jobs that have none yet; answers of how many."""
    return Statement("select pgqueue.find_causes($1::int)", (most,), only_value)
