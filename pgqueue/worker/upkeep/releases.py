"""Releases: a worker that begins with another one of its application than the last writes that down, for people."""

from __future__ import annotations

import os
import socket
from contextlib import suppress

import psycopg

from pgqueue.store import execute, moments
from pgqueue.worker.loop import Connection

# The variable that names the release of the code that runs here, and how much of it is shown.
RELEASE, LONGEST_RELEASE = "PGQUEUE_RELEASE", 60


def release_here() -> str:
    """The release of the application; empty if nobody says."""
    return os.environ.get(RELEASE, "")[:LONGEST_RELEASE]


def note_release(conn: Connection) -> None:
    """Note the release in the audit, if it is another one; a role that may not write there goes without."""
    if not (release := release_here()):
        return
    refused = (psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedFunction, psycopg.errors.UndefinedTable)
    with suppress(*refused):
        execute(conn, moments.note_release(release, socket.gethostname()))
