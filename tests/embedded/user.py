"""A process that uses an embedded database: `python -m tests.embedded.user DSN`.

Says the pid of the postmaster when the database is open, and leaves when its input ends.
"""

from __future__ import annotations

import sys

from pgqueue import embedded


def main(dsn: str) -> None:
    with embedded.open(dsn) as database:
        print(embedded.status(database.folder).pid, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1])
