"""What one worker is asked for; it may serve queues of anybody, so it is for those who see all."""

from __future__ import annotations

from collections.abc import Callable

from pgqueue.acting import workers
from pgqueue.acting.workers import Wish
from pgqueue.dashboard.actions.action import Action, Doing, Done
from pgqueue.dashboard.actions.subjects import WORKER
from pgqueue.dashboard.database import Conn
from pgqueue.store.workers import WorkerRow


def _asked(wish: Wish, said: str) -> Callable[[Conn, Doing], Done]:
    def act(conn: Conn, doing: Doing) -> Done:
        row: WorkerRow = doing.thing
        if not workers.ask(conn, doing.actor, row, wish):
            return Done("It has ended already.", False, ("workers", {}))
        deaf = "" if row.alive or wish == "evict" else " Its lease has expired: it may not hear of it any more."
        return Done(f"{said}{deaf}")

    return act


def _evict_asks(row: WorkerRow) -> str:
    return (
        f"The lease of {row.host}/{row.pid} ends now: others may take its jobs at once. It kills what it runs when it"
        " hears of that, and leaves with code 75."
    )


def _ask_dump(conn: Conn, doing: Doing) -> Done:
    if workers.ask_dump(conn, doing.actor, doing.thing) is None:
        return Done("It has ended already.", False, ("workers", {}))
    return Done("It is asked where its jobs are. What it answers stands here in a moment.")


ACTIONS = (
    Action(
        "quiet",
        on=WORKER,
        words="Quiet",
        permission="worker_quiet",
        needs_all_queues=True,
        fits=lambda row: row.asked is None,
        act=_asked("quiet", "It is asked to claim no more; what it runs goes on."),
    ),
    Action(
        "resume",
        on=WORKER,
        words="Go on",
        permission="worker_quiet",
        needs_all_queues=True,
        fits=lambda row: row.asked == "quiet",
        act=_asked("resume", "It may claim again."),
    ),
    Action(
        "dump",
        on=WORKER,
        words="Ask where they are",
        permission="worker_quiet",
        needs_all_queues=True,
        apart=True,
        act=_ask_dump,
    ),
    Action(
        "stop",
        on=WORKER,
        words="Stop",
        permission="worker_evict",
        needs_all_queues=True,
        asks=lambda _row: "As on TERM: what it runs may finish, the rest is given back, and it leaves with code 0.",
        fits=lambda row: row.asked in (None, "quiet"),
        act=_asked("stop", "It is asked to stop."),
    ),
    Action(
        "evict",
        on=WORKER,
        words="Evict",
        permission="worker_evict",
        needs_all_queues=True,
        asks=_evict_asks,
        act=_asked("evict", "It is evicted; its jobs are free for others."),
    ),
)
