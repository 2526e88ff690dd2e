"""The producer: `python -m importer.start orders.csv` has a file imported, once however often it is said."""

import os
import sys
from pathlib import Path

import psycopg

import pgqueue
from importer.tasks import import_orders


def start(conn: psycopg.Connection, path: Path) -> pgqueue.Enqueued:
    """Enqueue the import of a file, unless one is under way."""
    whole = path.resolve()
    return import_orders.using(unique_key=f"import:{whole}").enqueue(conn, str(whole))


if __name__ == "__main__":
    with psycopg.connect(os.environ["PGQUEUE_DSN"]) as conn:
        print(start(conn, Path(sys.argv[1])).id)
