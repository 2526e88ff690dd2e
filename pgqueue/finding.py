"""What somebody may have meant who found nothing: the nearest name of a queue, or of a task."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any

import psycopg

from pgqueue.store import execute, explaining, queues

# Queues among which the nearest name is looked for.
MOST_NAMES = 1000


def nearest_queue(
    conn: psycopg.Connection[Any], queue: str, sees: Callable[[str], bool] = lambda _name: True
) -> str | None:
    """The queue whose name is most like this one, of those that `sees` lets be; None if it is one, or none is."""
    names = [name for name in execute(conn, queues.first(MOST_NAMES)) if sees(name)]
    if queue in names:
        return None
    return next(iter(difflib.get_close_matches(queue, names, n=1)), None)


def nearest_task(conn: psycopg.Connection[Any], target: str) -> str | None:
    """The task of live workers that is most like this one; None if it is one, or none is like it."""
    known = execute(conn, explaining.nearest_target(target))
    return None if known == target else known
