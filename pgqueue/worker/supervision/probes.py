"""The answers to a supervisor's probes over HTTP: /live, /ready, and / for all that there is to say.

200 or 503, with the reasons: as text, or as JSON to who accepts that. Restart a worker that does not live; one that is
not ready only takes no work now.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pgqueue.errors import OptionError
from pgqueue.worker.supervision.health import Health, not_live, not_ready

# A client that says nothing is not waited for longer, seconds.
PATIENCE = 5.0


class Probes:
    """An HTTP server in a thread of its own. Raises OptionError if the port cannot be had."""

    def __init__(self, host: str, port: int, health: Callable[[], Health]) -> None:
        handler = type("Handler", (_Handler,), {"health": staticmethod(health)})
        try:
            self._server = _Server((host, port), handler)
        except (OSError, OverflowError) as error:
            raise OptionError(
                f"health_port {port} on {host} cannot be listened on: {error}; choose another port or host"
            ) from error
        self._thread = threading.Thread(target=self._server.serve_forever, name="pgqueue-health", daemon=True)

    @property
    def port(self) -> int:
        """Where it listens: the port that was given, or the one that 0 was made into."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Answer from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Answer no more, and let go of the port."""
        if self._thread.is_alive():
            self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away in the middle is nobody's trouble."""


class _Handler(BaseHTTPRequestHandler):
    server_version = "pgqueue"
    sys_version = ""
    timeout = PATIENCE
    health: Callable[[], Health]

    def do_GET(self) -> None:
        health = self.health()
        match self.path.partition("?")[0]:
            case "/live":
                self._answer(not_live(health), "live")
            case "/ready":
                self._answer(not_ready(health), "ready")
            case "/":
                reasons = not_live(health)
                told = {"live": not reasons, "ready": not not_ready(health), "reasons": not_ready(health)}
                self._send(503 if reasons else 200, "application/json", _json(told | asdict(health)))
            case path:
                self._send(404, "text/plain", f"no {path[:80]} here; ask for /live, /ready or /\n")

    do_HEAD = do_GET

    def log_message(self, *_: object) -> None:
        """Probes come every few seconds: none of them is worth a line."""

    def _answer(self, reasons: list[str], what: str) -> None:
        status = 503 if reasons else 200
        if "application/json" in self.headers.get("Accept", ""):
            self._send(status, "application/json", _json({what: not reasons, "reasons": reasons}))
        else:
            lines = [f"not {what}", *reasons] if reasons else [what]
            self._send(status, "text/plain", "".join(f"{line}\n" for line in lines))

    def _send(self, status: int, kind: str, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2) + "\n"
