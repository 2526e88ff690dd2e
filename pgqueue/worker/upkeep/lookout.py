"""The lookout: whether people are to be told of something, looked at by one worker for all."""

from __future__ import annotations

import random

from pgqueue.store import alerts, execute
from pgqueue.worker.loop import Connection

# Seconds between two looks while somebody is to be told; and while nobody is: then one is a probe of an empty table.
LOOK_EVERY, REST = 15.0, 60.0


def look_for_alerts(conn: Connection) -> float:
    """One look, if none has just been; answers the seconds until the next. The database decides who looks."""
    nobody = execute(conn, alerts.look()) == -1
    return (REST if nobody else LOOK_EVERY) * random.uniform(0.8, 1.0)
