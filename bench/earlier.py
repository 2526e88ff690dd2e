"""An earlier state of this repository, checked out beside it, so that its speed can be measured now."""

from __future__ import annotations

import subprocess
from pathlib import Path

from bench.manifest import ENVIRONMENTS, ROOT
from pgqueue.errors import UsageError


def checkout(named: str) -> Path:
    """The folder of a checkout: the one named, or one of the commit named, made once below `.bench`.

    Raises UsageError if git knows no such commit.
    """
    if Path(named).is_dir():
        return Path(named).resolve()
    commit = _git("rev-parse", "--short=12", "--verify", f"{named}^{{commit}}", named=named)
    folder = ENVIRONMENTS / f"before-{commit}"
    if not folder.is_dir():
        _git("worktree", "add", "--detach", str(folder), commit, named=named)
    return folder


def _git(*words: str, named: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise UsageError(f"no checkout of {named}: {done.stderr.strip()}")
    return done.stdout.strip()
