"""This process's keeper of programs: started with the first of them, and again if something has ended it."""

from __future__ import annotations

import atexit
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_SCRIPT = Path(__file__).with_name("keeper.py")
# Seconds for an order to be taken, and for the keeper's end.
_PATIENCE = 5.0
# Guards the making of the keeper, and its socket.
_lock = threading.Lock()
_keeper: _Keeper | None = None


class Order(NamedTuple):
    """What is to be run: a command in words, its environment and its folder."""

    command: Sequence[str]
    env: Mapping[str, str]
    cwd: str

    def packed(self) -> bytes:
        """As the keeper reads it."""
        text = json.dumps({"command": list(self.command), "env": dict(self.env), "cwd": self.cwd}).encode()
        return len(text).to_bytes(4) + text


def started(order: Order, files: Sequence[int]) -> socket.socket:
    """Have a program started with these as stdin, stdout and stderr. Answers its control, which ends it when closed.

    Raises OSError if nothing can be started here.
    """
    with _lock:
        try:
            return _living().start(order, files)
        except OSError:
            # Somebody may have ended it.
            _let_go()
            return _living().start(order, files)


def _living() -> _Keeper:
    global _keeper
    if _keeper is None or _keeper.owner != os.getpid():
        # In a forked copy it is that of another process.
        _keeper = _Keeper()
    return _keeper


def _let_go() -> None:
    global _keeper
    if _keeper is not None and _keeper.owner == os.getpid():
        _keeper.close()
    _keeper = None


atexit.register(_let_go)


class _Keeper:
    """The keeper as a process."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self._orders, theirs = socket.socketpair()
        self._orders.settimeout(_PATIENCE)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_SCRIPT), str(theirs.fileno()), str(self.owner)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        except BaseException:
            self._orders.close()
            raise
        finally:
            theirs.close()

    def start(self, order: Order, files: Sequence[int]) -> socket.socket:
        """Hand it an order. Raises OSError."""
        control, theirs = socket.socketpair()
        try:
            socket.send_fds(self._orders, [b"+"], [theirs.fileno(), *files])
            control.settimeout(_PATIENCE)
            control.sendall(order.packed())
            control.setblocking(False)
        except BaseException:
            control.close()
            raise
        finally:
            theirs.close()
        return control

    def close(self) -> None:
        """Let it end, and all that it keeps."""
        self._orders.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_PATIENCE)
