"""A real PostgreSQL for development: find it, start it, share it, stop it.

`embedded:` and `embedded:./path` stand for a database that exists as soon as it is opened:

    with embedded.open("embedded:") as database:
        psycopg.connect(database.dsn)

All processes that open the same folder share one server, which stops when the last of them has left.
"""

from __future__ import annotations

from pgqueue.embedded.cluster import Server
from pgqueue.embedded.place import default_folder, folder_of, is_embedded
from pgqueue.embedded.share import Database, Status, start, status, stop
from pgqueue.embedded.share import open_database as open  # noqa: A004, read as embedded.open

__all__ = [
    "Database",
    "Server",
    "Status",
    "default_folder",
    "folder_of",
    "is_embedded",
    "open",
    "start",
    "status",
    "stop",
]
