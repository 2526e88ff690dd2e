"""The limits of a run: rules that hold from begin to end, one that changes, and the jobs that are under them."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass
from typing import Any

import psycopg

from pgqueue.errors import DatabaseUnreachable
from pgqueue.store.connection import open_connection

Conn = psycopg.Connection[Any]

QUEUE, QUEUE_MOST = "limited", 3
TASK, TASK_MOST = "effect_async", 3
# A key's beginning, and how many there are of it. `flux` is the one whose rule a human changes.
SHARES, LANES, RATES, FLUX = ("share ", 4), ("lane ", 3), ("rate ", 2), ("flux ", 2)
SHARE_MOST = 2
RATE, RATE_SECONDS = 3, 4
# None: no rule at all.
FLUX_MOST = (1, 2, 3, None)
# What runs in a lane: nothing that a human or its own wish would put behind others.
LANE_TASKS = ("plain", "fails", "retries")
LANE_SECONDS = 0.8

KEY = "select pgqueue.set_limit('key', %s, concurrency => %s)"
LANE = "select pgqueue.set_limit('key', %s, concurrency => 1, ordered => true)"
METER = "select pgqueue.set_limit('key', %s, rate => %s)"
OTHER = "select pgqueue.set_limit(%s, %s, concurrency => %s)"
REMOVE = "select pgqueue.remove_limit('key', %s)"
LOOK = "insert into verify.strays (job_id, detail) select job_id, detail from verify.astray"
LOOK_EVERY = 0.3


@dataclass(frozen=True, slots=True)
class Place:
    """Where a job is to wait: options of its enqueue, and whether it stands in a lane, in which it can do less."""

    options: dict[str, Any]
    in_lane: bool = False


def begin(conn: Conn) -> None:
    """Set the rules."""
    conn.execute(KEY, [SHARES[0] + "*", SHARE_MOST])
    conn.execute(LANE, [LANES[0] + "*"])
    conn.execute(METER, [RATES[0] + "*", f"{RATE}/{RATE_SECONDS}s"])
    conn.execute(OTHER, ["queue", QUEUE, QUEUE_MOST])
    conn.execute(OTHER, ["task", f"pgqueue.verify.tasks:{TASK}", TASK_MOST])
    change(conn, 3)


def change(conn: Conn, most: int | None) -> None:
    """Let so many jobs of each of the changing keys run from now on, or any number."""
    if most is None:
        conn.execute(REMOVE, [FLUX[0] + "*"])
    else:
        conn.execute(KEY, [FLUX[0] + "*", most])


def place(dice: random.Random) -> Place:
    """Where a job waits, drawn: mostly under no limit of a key or a queue."""
    chance = dice.random()
    for (beginning, count), weight in ((SHARES, 0.14), (LANES, 0.08), (RATES, 0.06), (FLUX, 0.06)):
        if chance < weight:
            key = f"{beginning}{dice.randrange(count)}"
            return Place({"limit_key": key}, in_lane=(beginning, count) == LANES)
        chance -= weight
    return Place({"queue": QUEUE} if chance < 0.08 else {})


class Onlooker:
    """Looks now and then whether every share has its job, and every job its share: at once, they must."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    def work(self, stopping: threading.Event) -> None:
        """Look after look, until `stopping`."""
        while not stopping.wait(LOOK_EVERY):
            try:
                with open_connection(self._dsn, "verify") as conn:
                    while not stopping.wait(LOOK_EVERY):
                        conn.execute(LOOK)
            except (DatabaseUnreachable, psycopg.OperationalError):
                continue
