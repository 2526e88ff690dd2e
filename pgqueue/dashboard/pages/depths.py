"""How full the queues are that exist for a user, as far as that can be asked in a moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pgqueue.dashboard.auth import User
from pgqueue.dashboard.database import Conn, seen
from pgqueue.dashboard.pages.behind import behind
from pgqueue.store import execute, queues
from pgqueue.store.queues import Depths, QueueStats

# Queues of which all are looked at; of more the fullest.
MOST = 60
# Jobs that are counted before the rest is estimated.
MOST_COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class Filling:
    """Queues with their numbers; `is_all` is whether there are no others, `held` what each worker holds of them."""

    queues: list[QueueStats]
    is_all: bool
    depths: Depths

    def total(self, name: str) -> int:
        """The sum of a number over the queues."""
        return sum(getattr(row, name) for row in self.queues)

    def is_estimated(self, *names: str) -> bool:
        """Whether one of these numbers is an estimate in some queue."""
        return any(name in row.estimated for row in self.queues for name in names)


def filling(conn: Conn, user: User) -> Filling:
    """The queues that exist for a user; of very many the fullest."""

    def question(conn: Conn) -> Filling:
        names = execute(conn, queues.behind("", MOST + 1))
        is_all = len(names) <= MOST
        if not is_all:
            names = execute(conn, queues.fullest(MOST))
        visible = [name for name in names if user.sees(name)]
        depths = execute(conn, queues.depths(visible, MOST_COUNTED)) if visible else Depths([], {}, False)
        return Filling(sorted(depths.queues, key=_weight, reverse=True), is_all, depths)

    return seen(conn, question)


def names_behind(conn: Conn, user: User, after: str, limit: int) -> tuple[list[str], str | None]:
    """The names of queues behind one that exist for a user, and behind which to go on, None at the end."""

    def names(after: str, most: int) -> list[str]:
        return execute(conn, queues.behind(after, most))

    return behind(names, str, None if user.queues is None else user.sees, after, limit)


def _weight(row: QueueStats) -> Any:
    return (row.oldest_ready_age is not None and not row.paused, row.ready, row.running, row.dead)
