"""Whether a connection still has its socket: jobs may close any file, and what has its number then is not it."""

from __future__ import annotations

import os
import select
from contextlib import suppress

import psycopg
from psycopg.pq import ConnStatus
from psycopg.pq.abc import PGconn

from pgqueue.forks import dead_end

# Connections whose sockets were closed by a job: their numbers belong to others, and freeing one would write to it.
_robbed: list[PGconn] = []


def identity_of(server: PGconn) -> tuple[int, int]:
    """What tells the file behind its socket from every other one."""
    found = os.fstat(server.socket)
    return found.st_dev, found.st_ino


def is_robbed(server: PGconn, identity: tuple[int, int]) -> bool:
    """Whether its socket is not the one that it had; then the connection is never to be touched again."""
    with suppress(OSError, psycopg.Error):
        if server.status != ConnStatus.OK or identity_of(server) == identity:
            return False
    _robbed.append(server)
    return True


def has_word(server: PGconn) -> bool:
    """Whether something came while nobody asked: of a server that ends the session, or of one that has gone."""
    look = select.poll()
    look.register(server.socket, select.POLLIN)
    return bool(look.poll(0))


def put_out_of_reach(server: PGconn, identity: tuple[int, int]) -> None:
    """In a copy of the process: whatever it does with the connection fails, without a word to the server."""
    with suppress(OSError, psycopg.Error):
        if identity_of(server) == identity:
            dead_end(server.socket)
