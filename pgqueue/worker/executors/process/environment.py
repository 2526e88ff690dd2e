"""The environment of the processes that a worker starts for code of the app."""

from __future__ import annotations

from pgqueue import encryption, secret_environment, signing
from pgqueue.worker.executors.base import Settings

# By these systemd speaks with the worker alone.
_MINE = frozenset({"NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"})


def child_environment(settings: Settings) -> dict[str, str]:
    """That of the worker, but for what is meant for it alone: databases, unless they are to be passed on, and keys."""
    inherited = secret_environment.inherited(databases=settings.pass_dsn)
    not_theirs = _MINE | encryption.hidden_variables() | signing.hidden_variables()
    return {name: value for name, value in inherited.items() if name not in not_theirs}
