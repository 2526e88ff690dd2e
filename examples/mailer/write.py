"""The producer: `python -m mailer.write LETTER ADDRESS SUBJECT TEXT` enqueues a letter, however often it is called."""

import os
import sys

import psycopg

import pgqueue
from mailer.tasks import send


def write(conn: psycopg.Connection, letter: int, to: str, subject: str, text: str) -> pgqueue.Enqueued:
    """Enqueue a letter in the transaction open on `conn`; while its job lives there is no second one."""
    return send.using(unique_key=f"letter:{letter}").enqueue(conn, letter, to, subject, text)


if __name__ == "__main__":
    with psycopg.connect(os.environ["PGQUEUE_DSN"]) as conn:
        write(conn, int(sys.argv[1]), *sys.argv[2:5])
