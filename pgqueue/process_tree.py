"""The processes that a process has started, as the system knows them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path


def children_of(parent: int) -> list[int]:
    """The processes that a process has started."""
    if Path("/proc/self/stat").exists():
        found = _children_by_proc(parent)
    else:
        listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
        pairs = (line.split() for line in listed.stdout.splitlines())
        found = (int(pid) for pid, above in pairs if int(above) == parent)
    return sorted(found)


def _children_by_proc(parent: int) -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        try:
            # The second field is the name in parentheses, and may itself contain any character.
            if entry.name.isdigit() and int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == parent:
                yield int(entry.name)
        except (OSError, IndexError):
            continue
