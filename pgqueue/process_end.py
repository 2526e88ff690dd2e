"""The end of a process that ran other people's code: in its time, whatever that code has left running.

At its end Python waits for threads that are no daemons, for the threads of executors (asyncio.to_thread has one), for
processes of multiprocessing, and for whatever was registered with atexit; and it waits without a limit. Here all of
them get their chance, together a short time; then the process ends without them.
"""

from __future__ import annotations

import atexit
import gc
import io
import os
import sys
import threading
from contextlib import suppress
from typing import NoReturn

# For all that is to be done at the end, seconds.
PATIENCE = 1.0


def end_process(code: int, patience: float = PATIENCE) -> NoReturn:
    """End this process as `sys.exit(code)` would, but within `patience` seconds; from its main thread.

    Processes that multiprocessing started and that do not end in that time are killed.
    """
    try:
        threading.Thread(target=_end_after, args=(patience, code), name="pgqueue-end", daemon=True).start()
        _end_as_python_does()
    except BaseException:  # Whatever a hook raises, or no thread could be started: it is the end.
        sys.excepthook(*sys.exc_info())
    # Not by way of Python's own end: it would wait for locks that threads hold which stand still by then.
    _end(code)


def exit_code_of(end: SystemExit) -> int:
    """The exit code that Python itself would make of it."""
    if end.code is None:
        return 0
    if isinstance(end.code, int):
        return end.code & 0xFF
    print(end.code, file=sys.stderr)
    return 1


def flush_files() -> None:
    """Write what files that were left open hold back, as Python does when it ends and drops them."""
    # Text first: it is written into the buffers of the others. By type: what is left may lie about its class.
    for kind in (io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom):
        for found in gc.get_objects():
            if issubclass(type(found), kind):
                # Closed, or its disk is full: nobody is there to be told.
                with suppress(Exception):
                    found.flush()


def _end_as_python_does() -> None:
    """The parts of Py_FinalizeEx() that run Python code, in its order."""
    # The threads of executors are told to end there, and joined, with all others that are no daemons.
    threading._shutdown()  # type: ignore[attr-defined]  # there is no public way
    atexit._run_exitfuncs()
    flush_files()


def _end_after(seconds: float, code: int) -> None:
    threading.Event().wait(seconds)
    with suppress(Exception):
        _kill_children()
    os._exit(code)


def _kill_children() -> None:
    """Those that Python would have waited for; who started them otherwise may want them to go on."""
    if multiprocessing := sys.modules.get("multiprocessing"):
        for child in multiprocessing.active_children():
            child.kill()


def _end(code: int) -> NoReturn:
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    os._exit(code)
