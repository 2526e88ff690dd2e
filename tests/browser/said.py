"""What the jobs of a shop said, and where those of a worker were when it was asked."""

from __future__ import annotations

import json
from typing import Any

import psycopg

from pgqueue.job_log import Said
from pgqueue.store import dumps, execute, job_logs

Conn = psycopg.Connection[Any]
LINES = (
    ("info", "receipt of order 4711 for ann@example.org"),
    ("debug", "smtp.example.org answers on port 587"),
    ("warning", "the first try was refused; trying the second server"),
    ("error", "no server takes it\nConnectionRefusedError: [Errno 111] Connection refused"),
)
STACK = """Stack (most recent call last):
  File "/srv/shop/shop/video/transcoding.py", line 88, in cut
    wait_for(encoder)
  File "/srv/shop/shop/video/encoder.py", line 31, in wait_for
    encoder.communicate()
"""


def say(conn: Conn, found: dict[str, Any]) -> None:
    """Have a dead job have said something, and a worker tell of one that runs. `conn` is in autocommit mode."""
    at = conn.execute("select extract(epoch from now())::float8 - 600").fetchone()
    assert at is not None
    said = [
        Said(found["dead"], attempt, attempt, seq, at[0] + 60 * attempt + seq, level, line)
        for attempt in (1, 2)
        for seq, (level, line) in enumerate(LINES, 1)
    ]
    execute(conn, job_logs.keep(said))
    there = {"job": str(found["running"]), "target": "shop.video.transcoding:cut", "attempt": 1, "seconds": 541.0}
    asked_at = execute(conn, dumps.ask(found["worker"]))
    assert asked_at is not None
    jobs = [{**there, "pid": 4712, "stack": STACK}, {**there, "why": "its process does not answer"}]
    execute(conn, dumps.tell(found["worker"], asked_at, json.dumps({"jobs": jobs})))
