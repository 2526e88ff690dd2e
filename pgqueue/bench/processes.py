"""What processes cost, as /proc tells it: CPU seconds of a process with all below it, memory of one process."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

PROC = Path("/proc")
EVERY = 0.2


def cpu_seconds(roots: Iterable[int]) -> float | None:
    """CPU that these processes have used, those below them included, ended ones too; None without /proc."""
    if not (PROC / "self" / "stat").exists():
        return None
    used: dict[int, float] = {}
    parents: dict[int, int] = {}
    for folder in PROC.iterdir():
        if folder.name.isdigit() and (fields := _stat(folder)):
            parents[int(folder.name)] = int(fields[1])
            # utime, stime, and those of children that were waited for.
            used[int(folder.name)] = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    wanted = set(roots)
    while more := {pid for pid, parent in parents.items() if parent in wanted} - wanted:
        wanted |= more
    return sum(used.get(pid, 0.0) for pid in wanted)


def memory_mb(pid: int) -> float | None:
    """Resident memory of one process in MB; None without /proc, or if it is gone."""
    try:
        status = (PROC / str(pid) / "status").read_text()
    except OSError:
        return None
    kilobytes = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(kilobytes[0]) / 1024 if kilobytes else None


class MemoryWatch:
    """Samples the memory of a process while the block runs."""

    def __init__(self, pid: int) -> None:
        self.samples: list[float] = []
        self._pid = pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="bench-memory", daemon=True)

    def __enter__(self) -> MemoryWatch:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            if (found := memory_mb(self._pid)) is not None:
                self.samples.append(found)
            if self._over.wait(EVERY):
                return


def _stat(folder: Path) -> list[str]:
    """The fields of a process's stat behind its name, which may hold blanks; nothing if it is gone."""
    try:
        return (folder / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
