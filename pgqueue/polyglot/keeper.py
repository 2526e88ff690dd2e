"""The keeper of programs: starts them for the process that started it, and leaves none running behind that.

Run as a script, with the number of a socket and the id of its parent. The socket brings orders: a byte each, with four
files: the program's control, stdin, stdout, stderr. By its control it is told what to run, and tells how that ended. A
control that is closed ends the program, with all of its process group: so it lives no longer than who asked for it,
whatever kills that. There is one thread here and nothing but Python, so that fork() is safe and the start is short.
"""

from __future__ import annotations

import ctypes
import json
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from math import inf
from typing import Any, NoReturn

# Between SIGTERM and SIGKILL, seconds. Less than the grace that a job is given by default.
GRACE = 2.0
# How often to look whether the parent lives: a forked copy of it may hold its socket open.
_LOOK = 1.0
_PR_SET_PDEATHSIG = 1
# Python ignores some, and the parent may ignore others.
_AS_USUAL = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGPIPE,
    signal.SIGCHLD,
    signal.SIGXFSZ,
)
_LEFT_TO_THE_PARENT = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)


class Program:
    """One that was ordered: its control and its files, and once it runs its number."""

    def __init__(self, control: socket.socket, files: list[int]) -> None:
        self.control = control
        self.files = files
        self.heard = bytearray()
        self.pid = 0
        # By this it says why it could not be started.
        self.fault = -1
        self.kill_at = inf

    def close_files(self) -> None:
        """They are the program's, or nobody's."""
        while self.files:
            os.close(self.files.pop())

    def signal(self, number: int) -> None:
        """To its group; to itself, while it has not made one."""
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)
        except PermissionError:
            # Of another user by now, all of them; macOS says so of the dead.
            pass


class Keeper:
    """The loop of this process."""

    def __init__(self, orders: socket.socket, parent: int) -> None:
        self._orders = orders
        self._parent = parent
        self._selector = selectors.DefaultSelector()
        self._programs: dict[int, Program] = {}
        self._libc = ctypes.CDLL(None)
        awake, wake = os.pipe()
        for end in (awake, wake):
            os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        self._watch(awake, partial(os.read, awake, 4096))
        self._watch(orders, self._take_order)

    def run(self) -> NoReturn:
        """Keep programs until the parent is gone."""
        while True:
            for key, _ in self._selector.select(self._patience()):
                key.data()
            self._bury()
            now = time.monotonic()
            for program in self._programs.values():
                if now >= program.kill_at:
                    program.kill_at = now + _LOOK
                    program.signal(signal.SIGKILL)
            if os.getppid() != self._parent:
                self._end()

    def _patience(self) -> float:
        soonest = min((each.kill_at for each in self._programs.values()), default=inf)
        return max(0.0, min(_LOOK, soonest - time.monotonic()))

    def _watch(self, source: Any, call: Callable[[], object]) -> None:
        self._selector.register(source, selectors.EVENT_READ, call)

    def _take_order(self) -> None:
        try:
            said, files, *_ = socket.recv_fds(self._orders, 1, 4, getattr(socket, "MSG_CMSG_CLOEXEC", 0))
        except OSError:
            said, files = b"", []
        if not said:
            self._end()
        for each in files:
            os.set_inheritable(each, False)
        control = socket.socket(fileno=files[0])
        control.setblocking(False)
        program = Program(control, files[1:])
        self._watch(control, partial(self._hear, program))

    def _hear(self, program: Program) -> None:
        try:
            heard = program.control.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            heard = b""
        if not heard:
            self._drop(program)
            return
        program.heard += heard
        if not program.pid:
            self._start_if_told(program)
        elif program.kill_at == inf:
            program.kill_at = time.monotonic() + GRACE
            program.signal(signal.SIGTERM)

    def _start_if_told(self, program: Program) -> None:
        size = int.from_bytes(program.heard[:4])
        if len(program.heard) < 4 + size:
            return
        order = json.loads(program.heard[4:])
        fault, told = os.pipe()
        try:
            pid = os.fork()
        except OSError as error:
            os.close(fault)
            os.close(told)
            self._report(program, {"errno": error.errno})
            return
        if not pid:
            self._become(order, program.files, told)
        os.close(told)
        os.set_blocking(fault, False)
        program.close_files()
        program.pid, program.fault = pid, fault
        self._programs[pid] = program

    def _become(self, order: dict[str, Any], files: list[int], told: int) -> NoReturn:
        """Become the program; in the forked copy."""
        command, at = order["command"], order["cwd"]
        try:
            os.setsid()
            if sys.platform == "linux":
                self._libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            for number in _AS_USUAL:
                signal.signal(number, signal.SIG_DFL)
            for place, file in enumerate(files):
                os.dup2(file, place)
            os.chdir(at)
            at = command[0]
            os.execvpe(at, command, order["env"])
        except BaseException as error:
            said = f"{getattr(error, 'strerror', None) or repr(error)}: {at}"
            os.write(told, said.encode(errors="replace")[:500])
        finally:
            os._exit(127)

    def _bury(self) -> None:
        """Look who has ended: what it has left in its group ends, too, before its number may be another's."""
        while True:
            try:
                ended, status = _ended_child()
            except ChildProcessError:
                return
            if not ended:
                return
            program = self._programs.pop(ended, None)
            if program is not None:
                program.signal(signal.SIGKILL)
            if status is None:
                _, status = os.waitpid(ended, 0)
            if program is not None:
                self._report(program, _how(program, status))

    def _report(self, program: Program, how: dict[str, Any]) -> None:
        with suppress(OSError):
            program.control.send(json.dumps(how).encode())
        self._forget(program)

    def _drop(self, program: Program) -> None:
        """Nobody wants it any more."""
        self._forget(program)
        if program.pid:
            program.kill_at = inf
            program.signal(signal.SIGKILL)

    def _forget(self, program: Program) -> None:
        with suppress(KeyError, ValueError):
            self._selector.unregister(program.control)
        program.control.close()
        program.close_files()

    def _end(self) -> NoReturn:
        for program in self._programs.values():
            program.signal(signal.SIGKILL)
        os._exit(0)


def _ended_child() -> tuple[int, int | None]:
    """A child that has ended, 0 if none has; its status is None if it is not buried. Raises ChildProcessError."""
    if not hasattr(os, "waitid"):
        # macOS before Python 3.13.
        return os.waitpid(-1, os.WNOHANG)
    found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    return (0, None) if found is None else (found.si_pid, None)


def _how(program: Program, status: int) -> dict[str, Any]:
    try:
        failure = os.read(program.fault, 500)
    except BlockingIOError:
        # Something it started holds the other end: it was started well.
        failure = b""
    os.close(program.fault)
    if failure:
        return {"failure": failure.decode(errors="replace")}
    return {"code": os.waitstatus_to_exitcode(status)}


def main() -> NoReturn:
    """Keep programs for the parent."""
    while (free := os.open(os.devnull, os.O_RDWR)) < 3:
        # What programs are given must not stand where their own files go.
        pass
    os.close(free)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for number in _LEFT_TO_THE_PARENT:
        signal.signal(number, signal.SIG_IGN)
    orders = socket.socket(fileno=int(sys.argv[1]))
    orders.set_inheritable(False)
    Keeper(orders, int(sys.argv[2])).run()


if __name__ == "__main__":
    main()
