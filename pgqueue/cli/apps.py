"""The modules that --app and --include name: the current folder is where they are looked for first."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence

from pgqueue.errors import UsageError
from pgqueue.tasks import Modules, import_modules


def locate_modules(modules: Modules) -> None:
    """Let the current folder's modules be imported, as `python -m` does. Raises UsageError if none was named."""
    if not modules.named:
        raise UsageError("say whose tasks may run: -A shop.tasks")
    # Absolute, so that a task that changes the folder does not change what is imported.
    here = os.getcwd()
    if here not in sys.path:
        sys.path.insert(0, here)


def load_modules(modules: Modules) -> None:
    """Import them here. What they print goes to standard error: programs read a command's standard output."""
    locate_modules(modules)
    with contextlib.redirect_stdout(sys.stderr):
        import_modules(modules)


def load_apps(app: Sequence[str]) -> Modules:
    """As load_modules(), of those that --app names; answers what jobs may call then."""
    modules = Modules(tuple(app))
    load_modules(modules)
    return modules
