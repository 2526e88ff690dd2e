"""The human's part: `python -m thumbnails.answer ID FILE` gives a picture the thumbnail that somebody has drawn."""

import os
import sys

import psycopg

import pgqueue


def answer(conn: psycopg.Connection, job_id: str, thumbnail: str) -> None:
    """Let the job succeed with this thumbnail, in the transaction that also keeps it."""
    with conn.transaction():
        (picture_id,) = pgqueue.get_job(conn, job_id).args
        conn.execute("update pictures set thumbnail = %s, made_by = 'a human' where id = %s", [thumbnail, picture_id])
        pgqueue.manual_done(conn, job_id, thumbnail)


if __name__ == "__main__":
    with psycopg.connect(os.environ["PGQUEUE_DSN"]) as conn:
        answer(conn, sys.argv[1], sys.argv[2])
