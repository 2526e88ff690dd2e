"""What every process is that a worker starts for code of the app: it ends with the worker, and leaves signals to it."""

from __future__ import annotations

import atexit
import ctypes
import faulthandler
import io
import os
import signal
import sys
from collections.abc import Callable

from pgqueue.forks import not_for_copies
from pgqueue.process_end import flush_files
from pgqueue.worker.executors.process.channel import Channel

_PR_SET_PDEATHSIG = 1


def as_child(run: Callable[[Channel], None]) -> None:
    """Be a child of the worker at the other end of the socket whose number is the argument."""
    channel = Channel(int(sys.argv[1]))
    # The first to be registered is called last. When the worker hangs up, the process ends, wherever Python's end is.
    atexit.register(flush_files)
    deaf = _DeafEar()
    faulthandler.enable()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True)
    run(channel)
    del deaf


def die_with(parent: int) -> None:
    """Have the kernel end this process with its worker: the control thread may wait for a GIL that C code holds."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


class _DeafEar:
    """The worker decides what ^C and ^Z mean; a child that heard them, too, would fail its job.

    A handler, because what is ignored stays so in a program that a job starts.
    """

    def __init__(self) -> None:
        self._before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTSTP)}
        for number, handler in self._before.items():
            if handler is not signal.SIG_IGN:
                signal.signal(number, lambda *_: None)
        not_for_copies(self)

    def in_copy(self) -> None:
        """What a job forks hears them as any program does."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
