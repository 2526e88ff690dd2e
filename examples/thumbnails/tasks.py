"""What the workers do: one task, what follows it where it fails, and where that fails a human."""

from pathlib import Path

import psycopg

import pgqueue
from thumbnails import pictures

SIDE = 64


# A picture may be broken, but it may also be written just now: it is tried twice. One that takes all memory, or runs
# for ever, takes its process along and nothing else: that counts as an attempt, too.
@pgqueue.task(
    queue="thumbnails",
    transactional=True,
    store_result=True,
    timeout=20,
    retry=pgqueue.Fixed(0.1),
    fallback="thumbnails.tasks:pick",
    fallback_after=2,
)
def average(conn: psycopg.Connection, picture_id: int) -> str:
    """The good way: each pixel is the mean of those that it stands for, of a picture that is whole."""
    path = path_of(conn, picture_id)
    return kept(conn, picture_id, path, pictures.averaged(pictures.read(path), SIDE), "averaged")


@pgqueue.task(transactional=True, timeout=60, max_attempts=1, fallback="human")
def pick(conn: psycopg.Connection, picture_id: int) -> str:
    """The plain way, which takes what is there of a picture that ends early; what it cannot read is for a human."""
    path = path_of(conn, picture_id)
    return kept(conn, picture_id, path, pictures.picked(pictures.read(path, whole=False), SIDE), "picked")


def path_of(conn: psycopg.Connection, picture_id: int) -> Path:
    (path,) = conn.execute("select path from pictures where id = %s", [picture_id]).fetchone()
    return Path(path)


def kept(conn: psycopg.Connection, picture_id: int, path: Path, thumbnail: pictures.Picture, made_by: str) -> str:
    """Write the thumbnail beside its picture, and into the table: that commits with the job's success."""
    beside = path.with_name(f"{path.stem}.thumbnail.png")
    pictures.write(beside, thumbnail)
    conn.execute("update pictures set thumbnail = %s, made_by = %s where id = %s", [str(beside), made_by, picture_id])
    return str(beside)
