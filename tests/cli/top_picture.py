"""Draws docs/images/top.svg: `python -m tests.cli.top_picture`, of a database that it makes and forgets."""

from __future__ import annotations

import asyncio
import json
import re
import tempfile
from datetime import UTC, datetime, timedelta

import psycopg

from pgqueue import embedded
from pgqueue.buckets import BUCKETS, bucket_of
from pgqueue.cli.top.screen import Top
from pgqueue.cli.top.source import Source
from pgqueue.migrate import migrate
from pgqueue.store import execute, queues, tallies, workers
from tests import factories
from tests.postgres import ROOT

PICTURE = ROOT / "docs" / "images" / "top.svg"
# Jobs that wait, jobs that end in a minute, seconds of a run.
QUEUES = {"mail": (412, 300, 3.0), "thumbnails": (37, 90, 0.4), "video": (7, 1, 240.0), "reports": (2, 3, 9.0)}


def main() -> None:
    """Draw it."""
    with tempfile.TemporaryDirectory() as folder, embedded.open(f"embedded:{folder}/data") as database:
        migrate(database.dsn)
        with psycopg.connect(database.dsn, autocommit=True) as conn:
            _fill(conn)
        asyncio.run(_draw(database.dsn))


def _fill(conn: psycopg.Connection[object]) -> None:
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    for name, (ready, out, run) in QUEUES.items():
        ran = [0] * BUCKETS
        ran[bucket_of(run)] = out
        for minute in range(2, 20):
            at = now - timedelta(minutes=minute)
            row = {"minute": at.isoformat(), "queue": name, "target": f"shop.{name}:run", "outcome": "succeeded"}
            execute(conn, tallies.append(json.dumps([{**row, "n": out, "ended": out, "run": ran, "wait": ran}])))
        for _ in range(ready):
            factories.enqueue(conn, queue=name)
        conn.execute("update pgqueue.jobs set target = %s where queue = %s", [f"shop.{name}:run", name])

    for number in range(3):
        worker = factories.enlist(conn, lease=3600, concurrency=8)
        conn.execute("update pgqueue.workers set host = %s where id = %s", [f"web-{number + 1}", worker])
        report = {"busy": 6 + number, "slots": 8, "settled_per_s": 2.5, "rss": 2**28, "release": "4f1a"}
        execute(conn, workers.heartbeat(worker, timedelta(hours=1), json.dumps(report)))
        factories.claim(conn, worker, 6, *QUEUES)
    execute(conn, queues.pause("reports", 3600.0))
    for _ in range(3):
        factories.fail(conn, factories.claim_one(conn, queue="mail"), None)


async def _draw(dsn: str) -> None:
    app = Top(Source(dsn), "orders@db1", 3600.0)
    async with app.run_test(size=(104, 18)) as pilot:
        await pilot.pause()
        await app.workers.wait_for_complete()
        await pilot.pause()
        drawn = app.export_screenshot(title="pgqueue top")
    # Whoever looks at it asks nobody for a font.
    PICTURE.write_text(re.sub(r"@font-face \{.*?\}", "", drawn, flags=re.DOTALL))


if __name__ == "__main__":
    main()
