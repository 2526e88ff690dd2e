"""Calls hooks in a process of their own, beside those that run jobs: one that hangs is ended with its process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from time import monotonic
from typing import Any

from pgqueue.hooks import Told
from pgqueue.worker.executors.base import Settings
from pgqueue.worker.executors.process import messages, wire
from pgqueue.worker.executors.process.environment import child_environment
from pgqueue.worker.hooks.calling import LONGEST
from pgqueue.worker.hooks.child import BROKEN, CALLED, END, READY
from pgqueue.worker.hooks.wire import told_to_wire

# After a process that could not begin the next one begins so many seconds later.
PAUSE = 30.0
_BURIAL = 5.0
# A coroutine that is cancelled says so itself, a moment later.
_SLACK = 0.5
_CHUNK = 1 << 18


class Gone(Exception):
    """The process has ended, or was ended because it did not answer."""


class Apart:
    """One hook after the other, in one process; begun with the first event."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._not_before = 0.0
        self._why = ""

    def tell(self, name: str, told: Told) -> list[str]:
        """Have the hooks of that name called; what was wrong with them, in words."""
        if monotonic() < self._not_before:
            return [f"{name}: not called: {self._why}"]
        faults: list[str] = []
        try:
            if self._process is None:
                self._begin()
            self._say(name, told_to_wire(told))
            while (answer := self._hear(LONGEST, _SLACK))[0] != END:
                if answer[0] != CALLED:
                    raise Gone(f"it said {answer[0]!r:.20}")
                faults += [answer[1]] if answer[1] is not None else []
        except Gone as gone:
            self._end()
            faults.append(f"{name}: {gone}")
        return faults

    def close(self) -> None:
        """End the process."""
        self._end()

    def _begin(self) -> None:
        ours, theirs = socket.socketpair()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "pgqueue.worker.hooks.child", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                env=child_environment(self._settings),
            )
        except OSError as error:
            ours.close()
            self._give_up(f"its process could not be started: {error}")
        finally:
            theirs.close()
        self._socket, self._unpacker, self._heard = ours, messages.Unpacker(messages.LONGEST_SAID), []
        self._say(messages.START, wire.settings_to_wire(self._settings), sys.path, os.getpid())
        answer = self._hear(self._settings.start_limit)
        if answer[0] == BROKEN:
            self._give_up(str(answer[1]))
        if answer[0] != READY:
            raise Gone(f"it said {answer[0]!r:.20}")

    # Open from _begin() on.
    _socket: socket.socket
    _unpacker: messages.Unpacker
    _heard: list[list[Any]]

    def _give_up(self, why: str) -> None:
        self._why = why
        self._not_before = monotonic() + PAUSE
        raise Gone(why)

    def _say(self, *message: Any) -> None:
        self._socket.settimeout(LONGEST)
        try:
            self._socket.sendall(messages.pack(*message))
        except OSError as error:
            raise Gone("its process has ended") from error

    def _hear(self, patience: float, slack: float = 0.0) -> list[Any]:
        deadline = monotonic() + patience + slack
        while not self._heard:
            self._socket.settimeout(max(0.001, deadline - monotonic()))
            try:
                data = self._socket.recv(_CHUNK)
            except TimeoutError:
                raise Gone(f"it ran longer than {patience:g} s, and its process was ended") from None
            except OSError as error:
                raise Gone("its process has ended") from error
            if not data:
                raise Gone("its process has ended")
            self._heard += self._unpacker.feed(data)
            if self._unpacker.torn:
                raise Gone("it wrote into the channel to its worker")
        return self._heard.pop(0)

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        self._socket.close()
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_BURIAL)
