"""By which channels people hear of alerts, and from where on something is one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pgqueue.store.statement import Statement, nothing, only_value


@dataclass(frozen=True, slots=True)
class Channel:
    """A way by which people are told; `kinds` None is of all kinds of alerts."""

    name: str
    kind: str
    settings: Mapping[str, Any]
    kinds: Sequence[str] | None


@dataclass(frozen=True, slots=True)
class Rule:
    """From where on something of a kind, or one object of it, is an alert; `bound` None is never."""

    kind: str
    object: str
    bound: float | None
    default: float
    meaning: str


def channels() -> Statement[list[Channel]]:
    """By which ways people are told, in order of their names."""
    sql = "select name, kind, settings::text, kinds from pgqueue.alert_channels_shown order by name limit 1000"
    return Statement(sql, (), lambda rows: [Channel(row[0], row[1], json.loads(row[2]), row[3]) for row in rows])


def put_channel(channel: Channel) -> Statement[bool]:
    """Add a channel, or change one; answers whether it is new."""
    kinds = None if channel.kinds is None else list(channel.kinds)
    return Statement(_PUT_CHANNEL, (channel.name, channel.kind, json.dumps(channel.settings), kinds), only_value)


_PUT_CHANNEL = """
insert into pgqueue.alert_channels (name, kind, settings, kinds) values ($1::text, $2::text, $3::text::json, $4::text[])
on conflict (name) do update set kind = excluded.kind, settings = excluded.settings, kinds = excluded.kinds
returning xmax = 0
"""


def remove_channel(name: str) -> Statement[bool]:
    """Nobody is told by it any more; False if there is none."""
    sql = """
    with gone as (delete from pgqueue.alert_channels as c where c.name = $1::text returning 1)
    select exists (select from gone)
    """
    return Statement(sql, (name,), only_value)


def rules() -> Statement[list[Rule]]:
    """All kinds of alerts, from where on each is one, and what was said of single objects."""
    return Statement(_RULES, (), lambda rows: [Rule(*row) for row in rows])


_RULES = """
select each.kind, coalesce(said.object, ''), case when said.kind is null then each.bound else said.bound end,
       each.bound, each.meaning
from pgqueue.alert_bounds() as each
left join (
  select r.kind, r.object, r.bound from pgqueue.alert_rules as r order by r.kind, r.object limit 1000) as said
  on said.kind = each.kind
union
select each.kind, '', each.bound, each.bound, each.meaning
from pgqueue.alert_bounds() as each
where not exists (select from pgqueue.alert_rules as r where r.kind = each.kind and r.object = '')
order by 1, 2
"""


def set_rule(kind: str, name: str, bound: float | None) -> Statement[None]:
    """From where on something is an alert; None: never. An empty name is every object of the kind."""
    sql = """
    insert into pgqueue.alert_rules (kind, object, bound) values ($1::text, $2::text, $3::float8)
    on conflict (kind, object) do update set bound = excluded.bound
    """
    return Statement(sql, (kind, name, bound), nothing)


def unset_rule(kind: str, name: str) -> Statement[bool]:
    """As it comes again; False if nothing was said."""
    sql = """
    with gone as (delete from pgqueue.alert_rules as r where r.kind = $1::text and r.object = $2::text returning 1)
    select exists (select from gone)
    """
    return Statement(sql, (kind, name), only_value)
