"""What is done with one schedule."""

from __future__ import annotations

from collections.abc import Callable

from pgqueue.acting import Actor, schedules
from pgqueue.dashboard.actions.action import Action, Doing, Done
from pgqueue.dashboard.actions.subjects import SCHEDULE
from pgqueue.dashboard.database import Conn

GONE = "Somebody else has removed it."


def _run(conn: Conn, doing: Doing) -> Done:
    job = schedules.run(conn, doing.actor, doing.thing.name)
    if job is None:
        return Done(GONE, False, ("schedules", {}))
    return Done("One more job of it is enqueued: this one.", to=("job", {"id": job}))


def _moved(move: Callable[[Conn, Actor, str], bool], said: str) -> Callable[[Conn, Doing], Done]:
    def act(conn: Conn, doing: Doing) -> Done:
        return Done(said) if move(conn, doing.actor, doing.thing.name) else Done(GONE, False, ("schedules", {}))

    return act


ACTIONS = (
    Action("run", on=SCHEDULE, words="Run now", permission="schedule", act=_run),
    Action(
        "pause",
        on=SCHEDULE,
        words="Pause",
        permission="schedule",
        fits=lambda row: row.paused_by is None,
        act=_moved(schedules.pause, "It fires no more, until it is resumed."),
    ),
    Action(
        "resume",
        on=SCHEDULE,
        words="Resume",
        permission="schedule",
        fits=lambda row: row.paused_by is not None,
        act=_moved(schedules.resume, "It goes on; what it missed is caught up as it says."),
    ),
)
