"""The text of keys, from a file that is this user's alone, from the environment, or from a command."""

from __future__ import annotations

import os
import shlex
import signal
import stat
import subprocess
from contextlib import suppress

from pgqueue.errors import KeyringError

# Of a text of keys, in bytes: a hundred keys are 6 kB.
MOST_BYTES = 64 * 1024
# Seconds that a command may take.
TIMEOUT = 30.0


def from_file(path: str) -> str:
    """The text of a file. Raises KeyringError if others may read or write it."""
    try:
        # A pipe would keep us waiting for somebody to write.
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise KeyringError(f"the keys of file:{path} cannot be read: {_why(error)}") from None
    try:
        _require_private(path, os.fstat(number))
        with os.fdopen(number, "rb", closefd=False) as file:
            return _text(file.read(MOST_BYTES + 1), f"file:{path}")
    finally:
        os.close(number)


def from_environment(name: str) -> str:
    """The text of a variable. Raises KeyringError if it is not set."""
    if not (text := os.environ.get(name)):
        raise KeyringError(f"the keys of env:{name} cannot be read: that variable is not set")
    return text


def from_command(words: str) -> str:
    """What a program prints; no shell runs it. Raises KeyringError, which tells nothing of what it said."""
    try:
        split = shlex.split(words)
    except ValueError as error:
        raise KeyringError(f"the command for keys cannot be split into words: {error}") from None
    # Its own secrets it finds where the system that runs us has put them; what is pgqueue's is not for it.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PGQUEUE_")}
    try:
        running = subprocess.Popen(
            split,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise KeyringError(f"the command for keys cannot be started: {_why(error)}") from None
    try:
        printed, _ = running.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        # What it started, too: that could keep the pipe open.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(running.pid, signal.SIGKILL)
        running.communicate()
        raise KeyringError(f"the command for keys did not end within {TIMEOUT:g} s, and was killed") from None
    if running.returncode:
        raise KeyringError(f"the command for keys ended with {running.returncode}; what it said is not shown")
    return _text(printed, "the command for keys")


def mark_of(path: str) -> object:
    """Something that is another one after a change; None if there is no such file."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size, found.st_mode, found.st_uid


def _require_private(path: str, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise KeyringError(f"the keys of file:{path} cannot be read: it is no file")
    if found.st_uid not in (os.geteuid(), 0):
        raise KeyringError(
            f"the keys of file:{path} are not used: it belongs to another user (uid {found.st_uid});"
            " make it this user's, or root's"
        )
    if mode := stat.S_IMODE(found.st_mode) & 0o077:
        raise KeyringError(
            f"the keys of file:{path} are not used: others may open it (mode {stat.S_IMODE(found.st_mode):04o},"
            f" too much by {mode:03o}); run `chmod 600 {shlex.quote(path)}`, and take new keys if somebody else could"
            " read these"
        )


def _text(content: bytes, where: str) -> str:
    if len(content) > MOST_BYTES:
        raise KeyringError(f"the keys of {where} are more than {MOST_BYTES // 1024} kB long, which no keys are")
    try:
        return content.decode()
    except UnicodeError:
        raise KeyringError(f"the keys of {where} cannot be read: they are no text in UTF-8") from None


def _why(error: OSError | ValueError) -> str:
    return error.strerror or "failed" if isinstance(error, OSError) else str(error)
