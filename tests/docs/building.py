"""The site as `make docs` builds it, where nothing can be fetched."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.postgres import ROOT

# No proxy is there, no name is known: whatever it would fetch fails.
OFFLINE = {"http_proxy": "http://127.0.0.1:1", "https_proxy": "http://127.0.0.1:1", "PATH": "/usr/bin:/bin"}


def mkdocs(folder: Path, config: Path = ROOT / "mkdocs.yml") -> subprocess.CompletedProcess[str]:
    """Run what `make docs` runs, into a folder, with another configuration if need be."""
    (command,) = re.findall(r"-m (mkdocs build.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    where = ["--site-dir", str(folder), "--config-file", str(config)]
    return subprocess.run(
        [sys.executable, "-m", *command.split(), *where],
        cwd=ROOT,
        env=OFFLINE,
        capture_output=True,
        text=True,
        timeout=300,
    )


def build(folder: Path) -> Path:
    """Build the site into a folder; a warning fails it."""
    done = mkdocs(folder)
    assert done.returncode == 0, done.stderr
    return folder
