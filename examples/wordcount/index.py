"""The producer: `python -m wordcount.index FOLDER` indexes every Python file below a folder."""

import os
import sys
from pathlib import Path

import psycopg

import pgqueue
from wordcount.tasks import count_words


def add_document(conn: psycopg.Connection, path: Path) -> pgqueue.Enqueued:
    """Insert a document and enqueue its job: when this transaction has committed both exist, before that neither."""
    with conn.transaction():
        (document_id,) = conn.execute("insert into documents (path) values (%s) returning id", [str(path)]).fetchone()
        return count_words.enqueue(conn, document_id)


if __name__ == "__main__":
    with psycopg.connect(os.environ["PGQUEUE_DSN"]) as conn:
        for path in sorted(Path(sys.argv[1]).resolve().rglob("*.py")):
            add_document(conn, path)
