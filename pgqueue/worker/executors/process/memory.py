"""How much memory a child uses."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")
_PROC = Path("/proc/self/statm").exists()


def memory_of(pid: int) -> int:
    """The bytes of RAM that a process occupies, without the processes it started; 0 if there is no telling."""
    with suppress(OSError, ValueError, IndexError):
        if _PROC:
            return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
        told = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, timeout=1.0)
        return int(told.stdout) * 1024
    return 0
