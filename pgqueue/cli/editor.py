"""A text in the editor of the one who works here: $VISUAL, else $EDITOR, else vi."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from pathlib import Path

from pgqueue.errors import UsageError


def edited(text: str) -> str | None:
    """The text as it was saved; None if nothing was changed. Raises UsageError if there is no editor."""
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    # Nobody else may read it: arguments may hold what is nobody's business.
    handle, name = tempfile.mkstemp(suffix=".json")
    file = Path(name)
    try:
        os.close(handle)
        file.write_text(text, encoding="utf-8")
        try:
            code = subprocess.call([*shlex.split(editor), name])
        except OSError as error:
            raise UsageError(f"$EDITOR cannot be started: {error}; give the arguments on the command line") from None
        after = file.read_text(encoding="utf-8")
        return None if code or after == text else after
    finally:
        file.unlink(missing_ok=True)
