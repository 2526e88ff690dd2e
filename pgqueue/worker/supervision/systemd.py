"""What systemd wants to hear of a service with Type=notify: that it is ready, that it lives, that it stops.

The protocol is sd_notify(3): one datagram a message, to the socket that the variable NOTIFY_SOCKET names.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress

from pgqueue.events import Event, WorkerStarted, WorkerStopping
from pgqueue.worker.supervision.health import Health, not_live, not_ready

# Without a watchdog the status is still told so often, seconds.
STATUS_EVERY = 10.0


class Systemd:
    """An observer that says READY and STOPPING, and a thread that says WATCHDOG as long as the worker truly lives.

    Silent where nobody listens: outside of systemd the variable is not set.
    """

    def __init__(self, health: Callable[[], Health], environment: Mapping[str, str] = os.environ) -> None:
        self._health = health
        self._address = environment.get("NOTIFY_SOCKET", "")
        self._interval = _interval(environment)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="pgqueue-systemd", daemon=True)

    def __call__(self, event: Event) -> None:
        match event:
            case WorkerStarted():
                self._send("READY=1", _status(self._health()))
            case WorkerStopping(why=why, database=""):
                self._send("STOPPING=1", f"STATUS=stopping: {why}")

    def start(self) -> None:
        """Begin to watch, if systemd listens."""
        if self._address:
            self._thread.start()

    def stop(self) -> None:
        """Watch no more."""
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join(1.0)

    def _watch(self) -> None:
        while not self._ended.wait(self._interval):
            health = self._health()
            # Who is not told that it lives ends it, and starts another.
            alive = [] if not_live(health) else ["WATCHDOG=1"]
            self._send(*alive, _status(health))

    def _send(self, *lines: str) -> None:
        if not self._address:
            return
        # An abstract socket is written with an @.
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        text = "\n".join(line.replace("\n", " ") for line in lines)
        # It does not answer, and a worker does not wait for it.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.setblocking(False)
            channel.sendto(text.encode(), address)


def _interval(environment: Mapping[str, str]) -> float:
    """Half of what systemd waits, as its manual asks."""
    microseconds = environment.get("WATCHDOG_USEC", "")
    mine = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    if not (mine and microseconds.isdigit() and int(microseconds)):
        return STATUS_EVERY
    return min(STATUS_EVERY, int(microseconds) / 2e6)


def _status(health: Health) -> str:
    reasons = not_ready(health)
    state = f"{health.phase}{f' {health.databases}' if health.databases else ''}, {health.jobs} jobs at hand"
    return f"STATUS={'; '.join(reasons)}" if reasons else f"STATUS={state}"
