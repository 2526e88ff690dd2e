"""What is done with one limit, and how a new one is set."""

from __future__ import annotations

from typing import cast

from pgqueue.acting import limits
from pgqueue.dashboard.actions.action import Action, Doing, Done
from pgqueue.dashboard.actions.queues import lifted, written
from pgqueue.dashboard.actions.subjects import LIMIT, LIMITS
from pgqueue.dashboard.database import Conn
from pgqueue.dashboard.fields import Field, text, whole
from pgqueue.limits import Scope
from pgqueue.store.limits import LimitRow

ORDERS = (("no", "as the queue has it"), ("go on", "kept; goes on behind a dead job"), ("stop", "kept; stops at one"))


def _order(row: LimitRow) -> str:
    return row.on_dead if row.ordered else "no"


def _change(conn: Conn, doing: Doing) -> Done:
    row: LimitRow = doing.thing
    changed = doing.changed(_FIELDS)
    order = changed.get("order")
    if changed:
        limits.put(
            conn,
            doing.actor,
            cast(Scope, row.scope),
            row.name,
            concurrency=lifted(changed, "concurrency", 0),
            rate=lifted(changed, "rate", "none"),
            burst=lifted(changed, "burst", 0),
            weight=lifted(changed, "weight", 1),
            ordered=None if order is None else order != "no",
            on_dead=None if order in (None, "no") else order,
        )
    return Done("It says this now." if changed else "Nothing was changed.", bool(changed))


def _set(conn: Conn, doing: Doing) -> Done:
    values, order = doing.values, doing.values["order"]
    scope, name = values["of"], values["name"]
    limits.put(
        conn,
        doing.actor,
        scope,
        name,
        concurrency=values["concurrency"],
        rate=values["rate"],
        burst=values["burst"],
        weight=values["weight"],
        ordered=None if order in (None, "no") else True,
        on_dead=None if order in (None, "no") else order,
    )
    return Done("This is the limit.", to=("limit", {"of": scope, "name": name}))


def _remove(conn: Conn, doing: Doing) -> Done:
    row: LimitRow = doing.thing
    removed = limits.remove(conn, doing.actor, cast(Scope, row.scope), row.name)
    if not removed:
        return Done("Somebody else has removed it already.", False, ("limits", {}))
    back = f" It is declared in {row.source}, and comes back." if row.source is not None else ""
    return Done(f"The limit of {row.name} is removed.{back}", to=("limits", {}))


_FIELDS = (
    Field("concurrency", "At once", whole, "so many run at once", lambda doing: written(doing.thing.concurrency)),
    Field("rate", "Rate", text, "100/m, 50/s, 5/10s", lambda doing: written(doing.thing.rate)),
    Field("burst", "Burst", whole, "of the rate, so many at once", lambda doing: written(doing.thing.burst)),
    Field("weight", "Weight", whole, "1 to 100: so many turns to one of others", lambda doing: str(doing.thing.weight)),
    Field("order", "Order of its jobs", now=lambda doing: _order(doing.thing), kind="choice", choices=ORDERS),
)
ACTIONS = (
    Action(
        "change",
        on=LIMIT,
        words="Change",
        permission="limit",
        about="What stands here holds; an empty field is no limit. It wins over what code declares.",
        fields=_FIELDS,
        act=_change,
    ),
    Action(
        "remove",
        on=LIMIT,
        words="Remove",
        permission="limit",
        asks=lambda row: f"What the limit of the {row.scope} {row.name} holds back goes on at once.",
        act=_remove,
    ),
    Action(
        "set",
        on=LIMITS,
        words="Set a limit",
        permission="limit",
        needs_all_queues=True,
        fields=(
            Field("of", "Of a", kind="choice", choices=(("key", "key"), ("queue", "queue"), ("task", "task"))),
            Field("name", "Name", hint="a key such as stripe, tenant:* for each that begins so", required=True),
            Field("concurrency", "At once", whole, "so many run at once"),
            Field("rate", "Rate", text, "100/m, 50/s, 5/10s"),
            Field("burst", "Burst", whole, "of the rate, so many at once"),
            Field("weight", "Weight", whole, "1 to 100: so many turns to one of others"),
            Field("order", "Order of its jobs", kind="choice", choices=ORDERS),
        ),
        act=_set,
    ),
)
