"""Secrets in the environment of a worker, which what it starts does not inherit: databases with passwords, and keys.

The environment of a process is passed on to all that it starts, is shown by /proc to every process of its user, and
stands in many a crash report. Children get what they need of it by their socket.
"""

from __future__ import annotations

import os
import re

_DATABASES = frozenset(
    {
        "PGPASSWORD",
        "PGQUEUE_DSN",
        "PGQUEUE_DSN_FILE",
        "PGQUEUE_JOB_DSN",
        "PGQUEUE_LISTEN_DSN",
        "PGQUEUE_READ_DSN",
    }
)
_KEYS = re.compile(r"PGQUEUE_[A-Z0-9_]*KEYS?\Z")


def inherited(*, databases: bool = False) -> dict[str, str]:
    """The environment for a process that runs jobs, or is run by one: with databases if that is asked, without keys."""
    return {
        name: value
        for name, value in os.environ.items()
        if not _KEYS.match(name) and (databases or name not in _DATABASES)
    }
