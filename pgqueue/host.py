"""Whether an error is this machine's: it has run out of files, memory, disk or processes, not of a database."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator

# EAGAIN is what fork() answers where no process more is allowed, and what sockets answer all the time: see `forking`.
NUMBERS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS, errno.ENOSPC, errno.EDQUOT})
# Causes of causes are looked at so deep.
_DEEPEST = 10


def lack_of(error: BaseException, *, forking: bool = False) -> str | None:
    """What this host lacks, in words, if that is why `error` was raised.

    `forking` says that a process or a thread was to be started.
    """
    for each in _causes(error):
        if isinstance(each, MemoryError):
            return os.strerror(errno.ENOMEM)
        if isinstance(each, OSError) and (each.errno in NUMBERS or (forking and each.errno == errno.EAGAIN)):
            return os.strerror(each.errno or 0)
        if forking and isinstance(each, RuntimeError) and "can't start new thread" in str(each):
            return "no thread can be started"
    return None


def lack_for_connection(error: BaseException) -> str | None:
    """What this host lacks for a connection that could not be made, as psycopg and libpq say, or as it is just now."""
    return lack_of(error) or _told_by_libpq(str(error)) or _lack_of_files()


def _told_by_libpq(text: str) -> str | None:
    # What the server says of its own host comes as FATAL or ERROR.
    if "FATAL:" in text or "ERROR:" in text:
        return None
    told = [os.strerror(number) for number in NUMBERS if os.strerror(number) in text]
    return told[0] if told else os.strerror(errno.ENOMEM) if "out of memory" in text else None


def _lack_of_files() -> str | None:
    # A name cannot be resolved without a file, and nobody says then why it was not.
    try:
        with socket.socket(), socket.socket():
            return None
    except OSError as error:
        return lack_of(error)


def _causes(error: BaseException) -> Iterator[BaseException]:
    each: BaseException | None = error
    for _ in range(_DEEPEST):
        if each is None:
            return
        yield each
        each = each.__cause__ or each.__context__
