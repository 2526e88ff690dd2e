"""What postmaster.pid says, and whether it can be believed."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

# No system gives out a number this high, so PostgreSQL takes the file as left over.
NO_PROCESS = 2**31 - 1


@dataclass(frozen=True, slots=True)
class PidFile:
    pid: int
    socket_dir: Path | None
    ready: bool


def read(data: Path) -> PidFile | None:
    """Return what the file in a data folder says; None if there is none or it is not written whole."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        pid = int(lines[0])
    except (OSError, ValueError, IndexError):
        return None
    socket_dir = Path(lines[4]) if len(lines) > 4 and lines[4] else None
    return PidFile(pid, socket_dir, ready=len(lines) > 7 and lines[7].strip() == "ready")


def postmaster_of(data: Path) -> int | None:
    """Return the pid of the postmaster that serves this data folder, None if the file is stale.

    A pid alone proves nothing, as numbers are given out again: the process must have been started with this
    data folder. Its backends show other command lines, a zombie none.
    """
    found = read(data)
    if found is None or f" -D {data} " not in command_line(found.pid):
        return None
    return found.pid


def disown_stale(data: Path) -> None:
    """Make PostgreSQL take over a pid file whose number now belongs to another process.

    Only the number is replaced. The rest names the shared memory, by which PostgreSQL sees backends of a killed
    postmaster that still write to the folder; without the file it would start beside them.
    """
    if read(data) is None or postmaster_of(data) is not None:
        return
    file = data / "postmaster.pid"
    _, _, rest = file.read_text().partition("\n")
    file.write_text(f"{NO_PROCESS}\n{rest}")


def command_line(pid: int) -> str:
    """Return the words that a process was started with, a space after each; empty if there is no such process."""
    if not Path("/proc/self").exists():
        return told_by_ps(pid)
    try:
        return (Path("/proc") / str(pid) / "cmdline").read_text(errors="surrogateescape").replace("\0", " ")
    except OSError:
        return ""


def told_by_ps(pid: int) -> str:
    """The same where there is no /proc, as on macOS."""
    command = ["ps", "-ww", "-o", "args=", "-p", str(pid)]
    told = subprocess.run(command, capture_output=True, text=True, errors="surrogateescape").stdout
    return told.replace("\n", " ")
