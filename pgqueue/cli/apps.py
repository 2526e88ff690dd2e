"""The modules that --app names: there must be one, and the current folder is where they are looked for first."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence

from pgqueue.errors import UsageError
from pgqueue.tasks import import_apps


def locate_apps(app: Sequence[str]) -> None:
    """Let the current folder's modules be imported, as `python -m` does. Raises UsageError if no app was named."""
    if not app:
        raise UsageError("say whose tasks may run: -A shop.tasks")
    # Absolute, so that a task that changes the folder does not change what is imported.
    here = os.getcwd()
    if here not in sys.path:
        sys.path.insert(0, here)


def load_apps(app: Sequence[str]) -> None:
    """Import them here. What they print goes to standard error: programs read a command's standard output."""
    locate_apps(app)
    with contextlib.redirect_stdout(sys.stderr):
        import_apps(app)
