"""The process that owns an embedded server: starts it, restarts it if it dies, stops it when nobody uses it.

Its users hold a shared lock, which dies with them; when the supervisor can lock the same file alone, no user is
left. It keeps that lock until the server has stopped, so that whoever comes next waits and then starts anew.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import TextIO

from pgqueue.embedded.cluster import Server
from pgqueue.embedded.locks import lock, try_lock
from pgqueue.embedded.place import Place
from pgqueue.errors import EmbeddedError

# How long after its last user left, or after its death, a server stops or is started again.
TICK = 0.2
LONGEST_PAUSE = 5.0


class Supervisor:
    def __init__(self, place: Place, server: Server) -> None:
        self.place = place
        self.server = server
        self._dismissed = False
        self._sole_use: TextIO | None = None
        self._pause = TICK

    def run(self) -> None:
        """Serve until there is no user, nothing to serve, or SIGTERM."""
        signal.signal(signal.SIGTERM, self._dismiss)
        try:
            # Finds one already running if an earlier supervisor was killed.
            self.server.start()
            while not self._is_over():
                time.sleep(self._pause)
                self._keep_running()
        finally:
            # Without its files a server can only be told to drop everything.
            self.server.stop("fast" if self.server.initialised else "immediate")

    def _dismiss(self, number: int, frame: FrameType | None) -> None:
        self._dismissed = True

    def _is_over(self) -> bool:
        return self._dismissed or not self.server.initialised or self._is_unused()

    def _is_unused(self) -> bool:
        alone = try_lock(self.place.users)
        if alone is None:
            return False
        if self.place.keep.exists():
            alone.close()
            return False
        self._sole_use = alone
        return True

    def _keep_running(self) -> None:
        if self.server.pid is not None or not self.server.initialised:
            self._pause = TICK
            return
        try:
            self.server.start()
        except EmbeddedError as error:
            print(f"pgqueue supervisor: {error}", file=sys.stderr, flush=True)
            self._pause = min(2 * self._pause, LONGEST_PAUSE)


def main(folder: Path, bin_dir: Path) -> int:
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    detached = detach()
    place = Place(folder)
    try:
        # Who only looks whether there is a supervisor holds the lock for a moment: hence not try_lock.
        guard = lock(place.supervisor, timeout=1.0)
    except EmbeddedError:
        os.write(detached, b".")
        return 0
    guard.truncate(0)
    guard.write(str(os.getpid()))
    guard.flush()
    os.write(detached, b".")
    os.close(detached)
    try:
        Supervisor(place, Server(folder, bin_dir=bin_dir)).run()
    except EmbeddedError as error:
        print(f"pgqueue supervisor: {error}", file=sys.stderr, flush=True)
        return 1
    finally:
        # Before the users' lock, which ends with the process: who gets that one must find no supervisor.
        guard.close()
    return 0


def detach() -> int:
    """Go on as a child of nobody; who started this process sees it end once the returned pipe was written to."""
    heard, detached = os.pipe()
    if os.fork():
        os.close(detached)
        os._exit(0 if os.read(heard, 1) else 1)
    os.close(heard)
    return detached


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
