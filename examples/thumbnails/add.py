"""The producer: `python -m thumbnails.add FOLDER` adds every picture below a folder."""

import os
import sys
from pathlib import Path

import psycopg

import pgqueue
from thumbnails.tasks import average


def add_picture(conn: psycopg.Connection, path: Path) -> pgqueue.Enqueued:
    """Insert a picture and enqueue its job: when this transaction has committed both exist, before that neither."""
    with conn.transaction():
        (picture_id,) = conn.execute("insert into pictures (path) values (%s) returning id", [str(path)]).fetchone()
        return average.enqueue(conn, picture_id)


if __name__ == "__main__":
    with psycopg.connect(os.environ["PGQUEUE_DSN"]) as conn:
        for path in sorted(Path(sys.argv[1]).resolve().rglob("*.png")):
            if not path.name.endswith(".thumbnail.png"):
                add_picture(conn, path)
