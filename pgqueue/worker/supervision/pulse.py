"""The dead man's switch: while this worker is ready it asks for an address once a minute.

When that ceases, who watches the address tells people: of what no worker can tell, that none runs or reaches its
database.
"""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable
from urllib.parse import SplitResult, urlsplit

from pgqueue.errors import OptionError
from pgqueue.events import Observer
from pgqueue.version import __version__
from pgqueue.worker.outage import Outage
from pgqueue.worker.supervision.health import Health, not_ready

EVERY, TIMEOUT = 60.0, 10.0
# While it is not ready, or nobody answers, it looks again after so many seconds.
SOON = 5.0


class Pulse:
    """A thread that asks for the address while the worker is ready. start() and stop() may be called twice."""

    def __init__(self, url: str, health: Callable[[], Health], observe: Observer, every: float = EVERY) -> None:
        self._address = read_address(url)
        self._health = health
        self._observe = observe
        self._every = every
        self._outage = Outage("heartbeat-url")
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pgqueue pulse", daemon=True)

    def start(self) -> None:
        """Begin."""
        if not self._thread.is_alive() and not self._ended.is_set():
            self._thread.start()

    def stop(self) -> None:
        """End; what it waits for is not waited for."""
        self._ended.set()

    def _run(self) -> None:
        wait = 0.0
        while not self._ended.wait(wait):
            wait = self._every if not not_ready(self._health()) and self._beat() else min(SOON, self._every)

    def _beat(self) -> bool:
        try:
            status = ask(self._address)
        except (OSError, http.client.HTTPException) as error:
            return self._failed(f"no answer: {type(error).__name__}")
        # A redirect is no sign that anybody heard it.
        return 200 <= status < 300 or self._failed(f"answered {status}")

    def _failed(self, why: str) -> bool:
        # Its address is a secret as a rule.
        if (trouble := self._outage.trouble(f"the heartbeat URL was not reached: {why}")) is not None:
            self._observe(trouble)
        return False


def read_address(url: str) -> SplitResult:
    """The parts of an address to ask for. Raises OptionError."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        port = 0
    if port == 0 or parts.scheme not in ("https", "http") or not parts.hostname or not url.isascii() or " " in url:
        raise OptionError("heartbeat_url must be an address such as https://hc.example.com/ping/..., with a host")
    return parts


def ask(parts: SplitResult) -> int:
    """The status with which a GET is answered. Raises OSError, HTTPException."""
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    conn = kind(parts.hostname or "", parts.port, timeout=TIMEOUT)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        conn.request("GET", target, headers={"User-Agent": f"pgqueue/{__version__}"})
        answer = conn.getresponse()
        answer.read(1_024)
        return answer.status
    finally:
        conn.close()
