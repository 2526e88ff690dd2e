"""The folder of one run, for its server and its logs."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pgqueue.verify.settings import Say


@contextmanager
def folder_of(keep: bool, say: Say) -> Iterator[Path]:
    """A folder that is removed in the end, unless `keep`."""
    folder = Path(tempfile.mkdtemp(prefix="pgqueue-verify-"))
    # PostgreSQL, where it may not run as root, runs as a user who must be able to reach it.
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        if keep:
            say(f"kept: {folder}")
        else:
            shutil.rmtree(folder)
