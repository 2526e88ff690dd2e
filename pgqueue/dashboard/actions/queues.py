"""What is done with one queue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pgqueue.acting import queues
from pgqueue.dashboard.actions.action import Action, Doing, Done
from pgqueue.dashboard.actions.subjects import QUEUE
from pgqueue.dashboard.database import Conn
from pgqueue.dashboard.fields import DURATION, Field, text, whole


def _pause(conn: Conn, doing: Doing) -> Done:
    queues.pause(conn, doing.actor, doing.thing.name, doing.values["for"])
    return Done("It is paused. What runs goes on.")


def _resume(conn: Conn, doing: Doing) -> Done:
    queues.resume(conn, doing.actor, doing.thing.name)
    return Done("It goes on.")


def _say(conn: Conn, doing: Doing) -> Done:
    changed = doing.changed(_SETTINGS)
    said = {name: value for name, value in changed.items() if value is not None}
    unsaid = [name for name, value in changed.items() if value is None]
    if said:
        queues.say(conn, doing.actor, doing.thing.name, **said)
    if unsaid:
        queues.unsay(conn, doing.actor, doing.thing.name, *unsaid)
    return Done("It says so now." if changed else "Nothing was changed.", bool(changed))


def _limit(conn: Conn, doing: Doing) -> Done:
    changed = doing.changed(_LIMITS)
    queues.limit(
        conn,
        doing.actor,
        doing.thing.name,
        concurrency=lifted(changed, "concurrency", 0),
        rate=lifted(changed, "rate", "none"),
        burst=lifted(changed, "burst", 0),
        max_size=lifted(changed, "max_size", 0),
        on_full=changed.get("on_full"),
    )
    return Done("Its limits are these now." if changed else "Nothing was changed.", bool(changed))


def lifted(changed: dict[str, Any], name: str, lift: Any) -> Any:
    """What a limit is told of a field that was changed: a value, or that it is lifted; None leaves it as it is."""
    return (lift if changed[name] is None else changed[name]) if name in changed else None


def span(seconds: float | None) -> str:
    """Seconds as a field has them."""
    return "" if seconds is None else f"{seconds:g}s"


def written(value: object) -> str:
    """A value as a field has it; empty if there is none."""
    return "" if value is None else str(value)


def _of(part: str, name: str, write: Callable[[Any], str] = written) -> Callable[[Doing], str]:
    """What stands in a field at first: an attribute of a part of the queue."""
    return lambda doing: write(getattr(getattr(doing.thing, part), name, None))


_SETTINGS = (
    Field("timeout", "Timeout", DURATION, "how long an attempt may take", _of("said", "timeout", span)),
    Field("max_attempts", "Attempts", whole, "dead after so many", _of("said", "max_attempts")),
    Field("priority", "Priority", whole, "0 to 9, of jobs to come", _of("said", "priority")),
    Field("ageing", "Ageing", DURATION, "so much waiting is worth a level of priority", _of("said", "ageing", span)),
)
_LIMITS = (
    Field("concurrency", "At once", whole, "so many run at once", _of("limit", "concurrency")),
    Field("rate", "Rate", text, "100/m, 50/s, 5/10s", _of("limit", "rate")),
    Field("burst", "Burst", whole, "of the rate, so many at once", _of("limit", "burst")),
    Field(
        "max_size",
        "Holds at most",
        whole,
        "so many live jobs",
        lambda doing: written(doing.thing.size and doing.thing.size[0]),
    ),
    Field(
        "on_full",
        "When it is full",
        now=lambda doing: written(doing.thing.size and doing.thing.size[1]) or "raise",
        kind="choice",
        choices=(("raise", "a new job is refused"), ("drop_oldest", "the oldest is dropped")),
    ),
)
ACTIONS = (
    Action(
        "pause",
        on=QUEUE,
        words="Pause",
        permission="pause",
        about="No job of it is claimed any more; what runs goes on, and jobs may still be enqueued.",
        fields=(Field("for", "For", DURATION, "90s, 5m, 1h30m, 2d; until somebody resumes it if this is left empty"),),
        fits=lambda queue: not queue.is_paused,
        act=_pause,
    ),
    Action("resume", on=QUEUE, words="Resume", permission="pause", fits=lambda queue: queue.is_paused, act=_resume),
    Action(
        "limit",
        on=QUEUE,
        words="Limit",
        permission="limit",
        about="What stands here holds; an empty field is no limit.",
        fields=_LIMITS,
        act=_limit,
    ),
    Action(
        "set",
        on=QUEUE,
        words="Settings",
        permission="limit",
        about="What holds of its jobs where neither they nor their task say anything. An empty field says nothing.",
        fields=_SETTINGS,
        act=_say,
    ),
)
