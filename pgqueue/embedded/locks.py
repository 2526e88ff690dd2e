"""Locks on files, which the system lets go of when their holder dies."""

from __future__ import annotations

import contextlib
import errno
import os
import time
import weakref
from pathlib import Path
from typing import TextIO

from pgqueue.embedded.privacy import open_private
from pgqueue.errors import EmbeddedError

with contextlib.suppress(ImportError):  # Windows has none, and is refused before a lock is taken
    import fcntl

_held: weakref.WeakSet[TextIO] = weakref.WeakSet()


def try_lock(path: Path, *, shared: bool = False) -> TextIO | None:
    """Lock a file, created if need be; closing what is returned unlocks it. None if others hold it.

    No child holds the lock: one that is started by exec loses the file there, a forked one closes it at once.
    """
    try:
        file = open(path, "a+", opener=open_private)  # noqa: SIM115, the caller closes it
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise EmbeddedError(f"cannot lock {path}: {error.strerror}; remove it") from error
    try:
        fcntl.flock(file, fcntl.LOCK_NB | (fcntl.LOCK_SH if shared else fcntl.LOCK_EX))
        if os.path.samestat(os.fstat(file.fileno()), path.stat()):
            _held.add(file)
            return file
    except (BlockingIOError, FileNotFoundError):
        pass
    file.close()
    return None


def lock(path: Path, *, shared: bool = False, timeout: float) -> TextIO:
    """Lock a file, waiting for others to unlock it; raises EmbeddedError past `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while (file := try_lock(path, shared=shared)) is None:
        if time.monotonic() > deadline:
            raise EmbeddedError(f"{path} was locked by another process for {timeout:g} s; look what holds it")
        time.sleep(0.02)
    return file


def is_locked(path: Path) -> bool:
    """Whether a process holds the file locked against others."""
    if not path.exists() or (file := try_lock(path, shared=True)) is None:
        return path.exists()
    file.close()
    return False


def _let_go_in_child() -> None:
    for file in list(_held):
        file.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go_in_child)
