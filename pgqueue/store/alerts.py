"""Alerts: what is wrong and since when, and the messages about it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from pgqueue.store.statement import Statement, nothing, only_value

MOST_LISTED = 1_000
# Letters of a key, as its column says.
LONGEST_KEY = 200


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that is or was wrong: since when this time, until when so far, and how often since then.

    `state` is gathering (noticed, and not told yet), open (told) or well. `unsent` messages wait to be sent, and the
    newest of those that failed says `error`.
    """

    key: str
    kind: str
    object: str
    state: str
    opened_at: datetime | None
    last_at: datetime | None
    n: int
    told_at: datetime | None
    last_sent_at: datetime | None
    muted_until: datetime | None
    muted_by: str | None
    facts: Mapping[str, Any]
    unsent: int
    error: str | None

    @property
    def found(self) -> dict[str, Any]:
        """What was found, as an object, whatever hand wrote it."""
        return dict(self.facts) if isinstance(self.facts, dict) else {}

    @property
    def is_open(self) -> bool:
        """Whether it is wrong now, as far as the last look has seen."""
        return self.state != "well"


class Unsent(NamedTuple):
    """A message to send: what it is about, as JSON, and how the channel is set."""

    number: int
    what: str
    made_at: datetime
    facts: str
    channel_kind: str
    settings: str


@dataclass(frozen=True, slots=True)
class Sent:
    """A message for one channel, and what became of it."""

    key: str
    channel: str
    number: int
    what: str
    made_at: datetime
    sent_at: datetime | None
    superseded: bool
    failures: int
    error: str | None


def look() -> Statement[int | None]:
    """One look at whether people are to be told of something; answers how many messages it made.

    None if somebody has just looked; -1 if nobody is to be told: that costs a probe of an empty table.
    """
    return Statement("select pgqueue.look_for_alerts()", (), only_value)


def note(kind: str, name: str, n: int, facts: str) -> Statement[None]:
    """Note that something is wrong now; facts are a JSON object."""
    sql = """
    select pgqueue.note_alert($1::text, $2::text, $3::bigint, clock_timestamp(), $4::text::jsonb, clock_timestamp())
    """
    return Statement(sql, (kind, name, n, facts), nothing)


def unsent(key: str, channel: str) -> Statement[Unsent | None]:
    """The newest message of an alert that a channel has not sent; None if there is none, or the alert is muted."""
    sql = """
    select number, what, made_at, facts, channel_kind, settings from pgqueue.unsent_alert($1::text, $2::text)
    """
    return Statement(sql, (key, channel), lambda rows: Unsent(*rows[0]) if rows else None)


def sent(key: str, channel: str, number: int) -> Statement[bool]:
    """A message was sent, in the transaction of the job's success; answers whether a newer one waits."""
    return Statement("select pgqueue.alert_sent($1::text, $2::text, $3::bigint)", (key, channel, number), only_value)


def failed(key: str, channel: str, number: int, why: str) -> Statement[None]:
    """A message could not be sent, and why."""
    sql = "select pgqueue.alert_failed($1::text, $2::text, $3::bigint, $4::text)"
    return Statement(sql, (key, channel, number, why), nothing)


def mute(key: str, until: datetime | None, who: str) -> Statement[None]:
    """Say nothing of an alert until a moment; None: say it again."""
    return Statement("select pgqueue.mute_alert($1::text, $2::timestamptz, $3::text)", (key, until, who), nothing)


def test(channels: Sequence[str], who: str) -> Statement[int]:
    """Make a message that is a test; answers its number."""
    return Statement("select pgqueue.test_alerts($1::text[], $2::text)", (list(channels), who), only_value)


def listed(*, only_open: bool = True, prefix: str = "") -> Statement[list[Alert]]:
    """What is wrong now, or all that is remembered, or is muted; the last first. Walks alerts_open, or reads alerts."""
    return Statement(_LISTED_OPEN if only_open else _LISTED, (prefix, MOST_LISTED), _read_alerts)


def one(key: str) -> Statement[Alert | None]:
    """One alert by its key, open or not. Walks alerts_pkey."""
    return Statement(_ONE, (key, 1), lambda rows: next(iter(_read_alerts(rows)), None))


def _read_alerts(rows: Sequence[Sequence[Any]]) -> list[Alert]:
    return [Alert(*(*row[:11], json.loads(row[11]), *row[12:])) for row in rows]


_LISTED_OPEN = """
select found.key, found.kind, found.object, found.state, found.opened_at, found.last_at, found.n, found.told_at,
       found.last_sent_at, found.muted_until, found.muted_by, coalesce(found.facts, '{}')::text,
       (select count(*) from (
          select from pgqueue.alert_messages as m
          where m.key = found.key and m.sent_at is null and not m.superseded limit 100) as waiting),
       (select m.error from pgqueue.alert_messages as m
        where m.key = found.key and m.sent_at is null and not m.superseded and m.error is not null
        order by m.number desc limit 1)
from (
  select a.* from pgqueue.alerts as a
  where a.state <> 'well' and starts_with(a.key, $1::text)
  order by a.key limit $2::int) as found
order by found.opened_at desc nulls last, found.key
"""
_LISTED = _LISTED_OPEN.replace("where a.state <> 'well' and ", "where ").replace(
    "order by a.key limit", "order by (a.state <> 'well') desc, a.last_at desc nulls last, a.key limit"
)

_ONE = _LISTED_OPEN.replace("where a.state <> 'well' and starts_with(a.key, $1::text)", "where a.key = $1::text")


def messages(key: str, limit: int) -> Statement[list[Sent]]:
    """The newest messages about an alert. Walks alert_messages_pkey."""
    return Statement(_MESSAGES, (key, limit), lambda rows: [Sent(*row) for row in rows])


_MESSAGES = """
select m.key, m.channel, m.number, m.what, m.made_at, m.sent_at, m.superseded, m.failures, m.error
from pgqueue.alert_messages as m
where m.key = $1::text
order by m.number desc, m.channel limit $2::int
"""


def standing() -> Statement[tuple[int, int, int, bool]]:
    """How many channels and open alerts there are, how many messages failed, and if a worker serves our queue."""
    return Statement(_STANDING, (), lambda rows: (rows[0][0], rows[0][1], rows[0][2], rows[0][3]))


_STANDING = """
select (select count(*) from pgqueue.alert_channels),
       (select count(*) from (select from pgqueue.alerts as a where a.state <> 'well' limit 1001) as found),
       (select count(*) from (
          select from pgqueue.alert_messages as m
          where m.sent_at is null and not m.superseded and m.failures > 0 limit 1001) as waiting),
       exists (
         select from pgqueue.workers as w
         where w.expires_at > clock_timestamp() and w.asked is null and pgqueue.serves(w.queues, 'pgqueue.alerts'))
"""


# Characters of a traceback, its last, that a message looks at.
MOST_TRACEBACK = 65_536


class Sample(NamedTuple):
    """A dead job, for a message; `args` is JSON text. `release` is that of the worker of its last attempt, if known."""

    id: str
    target: str
    args: str | None
    labels: str | None
    error: str | None
    traceback: str | None
    attempts: int
    release: str | None


def sample(cause: str) -> Statement[Sample | None]:
    """The newest dead job of a cause. Walks dead_jobs_cause, attempts_pkey; what is larger than 64 KB is left out."""
    return Statement(_SAMPLE, (cause, MOST_TRACEBACK), lambda rows: Sample(*rows[0]) if rows else None)


_SAMPLE = """
select found.id::text, found.target, case when octet_length(found.args::text) <= 65536 then found.args::text end,
       case when octet_length(found.labels::text) <= 65536 then found.labels::text end, left(found.error, 2000),
       right(found.traceback, $2::int), found.attempt,
       (select left(told.report ->> 'release', 100)
        from pgqueue.attempts as last
        join pgqueue.worker_reports as told on told.id = last.worker
        where last.job_id = found.id and json_typeof(told.report) = 'object'
        order by last.claim desc limit 1)
from (
  select d.* from pgqueue.dead_jobs_shown as d where d.cause = $1::text order by d.id desc limit 1) as found
"""
